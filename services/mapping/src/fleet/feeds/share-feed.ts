import { create } from "@bufbuild/protobuf";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import type { Database } from "@penstock/postgres";
import { fleet } from "@penstock/proto";
import type { FleetLog } from "../fleet-log.ts";
import type { FleetSettings } from "../fleet-settings.ts";
import { RepeatedWork } from "../repeated-work.ts";
import type { NodeStreams } from "../streams/node-streams.ts";

interface ShareRow {
  node_id: string;
  function_name: string;
  calls_max: number;
  lease_ms: number;
}

/** What a message may take to its invoker: so much earlier a share lapses there than in the table. */
const TRANSIT_MAX_MS = 2_000;

/**
 * Tells invokers their concurrency shares, again and again for as long as the leader renews them, and stores what they use of them
 * for the leader to divide by. A share that is told never outlives its lease in the table.
 */
export class ShareFeed extends RepeatedWork {
  readonly #db: Database;
  readonly #streams: NodeStreams;
  readonly #nowMs: () => number;

  constructor(options: {
    db: Database;
    streams: NodeStreams;
    log: FleetLog;
    settings: FleetSettings;
    nowMs: () => number;
  }) {
    super({
      name: "reading shares",
      intervalMs: options.settings.shareIntervalMs,
      log: options.log,
    });
    this.#db = options.db;
    this.#streams = options.streams;
    this.#nowMs = options.nowMs;
  }

  protected override async work(): Promise<void> {
    const streams = this.#streams.all("invoker");
    if (streams.length === 0) return;
    await this.#storeUse();
    const readAtMs = this.#nowMs();
    const rows = await this.#db.sql<ShareRow[]>`
      select node_id, function_name, calls_max,
             (extract(epoch from lease_until - clock_timestamp()) * 1000)::int as lease_ms
        from concurrency_shares
       where node_id = any(${streams.map((stream) => stream.identity.nodeId)}::uuid[])
         and lease_until > clock_timestamp()
       order by function_name`;
    const rowsOf = Map.groupBy(rows, (row) => row.node_id);
    for (const stream of streams) {
      const own = rowsOf.get(stream.identity.nodeId) ?? [];
      stream.outbox.shares(() => toShares(own, this.#nowMs() - readAtMs));
    }
  }

  async #storeUse(): Promise<void> {
    const uses = this.#streams
      .all("invoker")
      .filter((stream) => stream.isClaimed)
      .flatMap(({ identity, shareUse }) =>
        shareUse.map((use) => ({ nodeId: identity.nodeId, ...use })),
      );
    if (uses.length === 0) return;
    await this.#db.sql`
      update concurrency_shares s set in_flight = r.in_flight, waiting = r.waiting
        from unnest(${uses.map((use) => use.nodeId)}::uuid[],
                    ${uses.map((use) => use.functionName)}::text[],
                    ${uses.map((use) => Math.min(use.inFlight, COUNT_MAX))}::int[],
                    ${uses.map((use) => Math.min(use.waiting, COUNT_MAX))}::int[])
          as r (node_id, function_name, in_flight, waiting)
       where s.node_id = r.node_id and s.function_name = r.function_name
         and (s.in_flight <> r.in_flight or s.waiting <> r.waiting)`;
  }
}

const COUNT_MAX = 1_000_000;

/** Shares whose lease has run out meanwhile are left out; the shortest lease holds for all. */
function toShares(rows: readonly ShareRow[], sinceReadMs: number): fleet.ConcurrencyShares {
  const valid = rows.filter((row) => row.lease_ms - sinceReadMs > TRANSIT_MAX_MS);
  const shortestMs = Math.min(...valid.map((row) => row.lease_ms));
  return create(fleet.ConcurrencySharesSchema, {
    shares: valid.map((row) => ({ functionName: row.function_name, callsMax: row.calls_max })),
    lease: durationFromMs(
      valid.length === 0 ? 0 : Math.floor(shortestMs - sinceReadMs - TRANSIT_MAX_MS),
    ),
  });
}
