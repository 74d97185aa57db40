import { InvariantError } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import type { fleet } from "@penstock/proto";
import type { FleetLog } from "../fleet-log.ts";
import { notifyFleet } from "../fleet-notice.ts";
import { isTransient } from "../is-transient.ts";
import { RepeatedWork } from "../repeated-work.ts";
import type { NodeStream } from "../streams/node-stream.ts";
import type { NodeStreams } from "../streams/node-streams.ts";
import { holdersFragment } from "./known-mappings.ts";

/**
 * Takes what nodes hold to the tables: the newest of each node, in one transaction each, so that a confirmed generation never
 * comes without the list that belongs to it, and after the progress that came before it: when nobody holds a partition any more, its archived
 * position is the last one. Written only while this replica has the node's stream; kept while the database is away. A generation that the
 * node was never given confirms nothing, and a mapping that it was never given is not held by it.
 */
export class HoldingsStore extends RepeatedWork {
  readonly #db: Database;
  readonly #streams: NodeStreams;
  readonly #replicaId: string;
  readonly #log: FleetLog;
  readonly #progressStored: () => Promise<void>;

  constructor(options: {
    db: Database;
    streams: NodeStreams;
    replicaId: string;
    /** Resolves when the progress that was received before is in the tables. */
    progressStored: () => Promise<void>;
    log: FleetLog;
    intervalMs: number;
  }) {
    super({
      name: "storing holdings",
      intervalMs: options.intervalMs,
      settleMs: 5,
      log: options.log,
    });
    this.#db = options.db;
    this.#streams = options.streams;
    this.#replicaId = options.replicaId;
    this.#log = options.log;
    this.#progressStored = options.progressStored;
  }

  /** Stores the last word of a stream that ends, before its end is acted upon. */
  async storeNow(stream: NodeStream): Promise<void> {
    if (stream.isClaimed && !stream.isReplaced && !stream.areHoldingsStored) {
      await this.#store(stream);
    }
  }

  protected override async work(): Promise<void> {
    for (const stream of this.#streams.all()) {
      if (stream.isClaimed && !stream.areHoldingsStored) await this.#tryToStore(stream);
    }
  }

  /** What the database refuses for itself costs only its sender the stream. */
  async #tryToStore(stream: NodeStream): Promise<void> {
    try {
      await this.#store(stream);
    } catch (error) {
      if (isTransient(error) || error instanceof InvariantError) throw error;
      this.#log.error("what a node holds can't be stored", {
        nodeId: stream.identity.nodeId,
        error,
      });
      stream.outbox.end();
    }
  }

  async #store(stream: NodeStream): Promise<void> {
    const { holdings } = stream;
    if (holdings === null) return;
    await this.#progressStored();
    const held = [...firstOfEach(holdings)];
    const { nodeId } = stream.identity;
    await this.#db.transaction(async (sql) => {
      const known = await sql`
        update nodes
           set applied_generation = case
                 when ${holdings.appliedGeneration}::bigint between applied_generation and (
                   select g.generation from node_generations g where g.node_id = nodes.id)
                 then ${holdings.appliedGeneration}::bigint else applied_generation end,
               is_draining = ${holdings.isDraining}
         where id = ${nodeId} and replica_id = ${this.#replicaId}`;
      if (known.count === 0) return;
      await sql`
        delete from holdings h
         where h.node_id = ${nodeId}
           and not exists (
             select 1 from unnest(${held.map((one) => one.mappingId)}::uuid[],
                                  ${held.map((one) => one.index)}::int[]) as r (mapping_id, poller_index)
              where r.mapping_id = h.mapping_id and r.poller_index = h.poller_index)`;
      await sql`
        insert into holdings as known
          (node_id, mapping_id, poller_index, member_id, revision, has_joined)
        select ${nodeId}, r.* from unnest(
            ${held.map((one) => one.mappingId)}::uuid[], ${held.map((one) => one.index)}::int[],
            ${held.map((one) => one.memberId)}::text[], ${held.map((one) => one.revision)}::bigint[],
            ${held.map((one) => one.hasJoined)}::boolean[]
          ) as r (mapping_id, poller_index, member_id, revision, has_joined)
         where exists (
           select 1 from (${holdersFragment(sql)}) as h
            where h.mapping_id = r.mapping_id and h.node_id = ${nodeId})
        on conflict (node_id, mapping_id, poller_index) do update
          set member_id = excluded.member_id, revision = excluded.revision,
              has_joined = excluded.has_joined`;
      await notifyFleet(sql, { kind: "holdings" });
    });
    if (stream.holdings === holdings) stream.areHoldingsStored = true;
  }
}

/** One entry for each number: while a former event poller of it still drains, the running one, which is named first, counts. */
function firstOfEach(holdings: fleet.Holdings): Iterable<fleet.HeldEventPoller> {
  const first = new Map<string, fleet.HeldEventPoller>();
  for (const one of holdings.held) {
    const key = `${one.mappingId}/${one.index}`;
    if (!first.has(key)) first.set(key, one);
  }
  return first.values();
}
