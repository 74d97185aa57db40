import { create } from "@bufbuild/protobuf";
import type { Database } from "@penstock/postgres";
import { fleet } from "@penstock/proto";
import type { FleetLog } from "../fleet-log.ts";
import { RepeatedWork } from "../repeated-work.ts";
import type { NodeStream } from "../streams/node-stream.ts";
import type { NodeStreams } from "../streams/node-streams.ts";

/**
 * Tells pollers which invokers are up. An invoker is named until it leaves or has vanished; while the database is away nothing changes,
 * and after an outage nobody vanishes before there was time to be seen again.
 */
export class InvokerFeed extends RepeatedWork {
  readonly #db: Database;
  readonly #streams: NodeStreams;
  readonly #vanishedMs: number;
  readonly #nowMs: () => number;
  #known: fleet.Invokers | null = null;
  #print = "";
  /** Nobody is dropped for silence before this moment. */
  #graceUntilMs = 0;
  #hasFailed = true;

  constructor(options: {
    db: Database;
    streams: NodeStreams;
    log: FleetLog;
    intervalMs: number;
    vanishedMs: number;
    nowMs: () => number;
  }) {
    super({
      name: "reading invokers",
      intervalMs: options.intervalMs,
      log: options.log,
      onFailure: () => {
        this.#hasFailed = true;
      },
    });
    this.#db = options.db;
    this.#streams = options.streams;
    this.#vanishedMs = options.vanishedMs;
    this.#nowMs = options.nowMs;
  }

  tell(stream: NodeStream): void {
    if (this.#known !== null && stream.identity.kind === "poller") {
      stream.outbox.invokers(this.#known);
    }
  }

  protected override async work(): Promise<void> {
    const rows = await this.#db.sql<{ id: string; address: string; is_silent: boolean }[]>`
      select id, address,
             seen_at < clock_timestamp() - ${this.#vanishedMs}::int * interval '1 millisecond' as is_silent
        from nodes where kind = 'invoker' and not is_draining
       order by id`;
    const nowMs = this.#nowMs();
    if (this.#hasFailed) this.#graceUntilMs = nowMs + this.#vanishedMs;
    this.#hasFailed = false;
    const known = new Set(this.#known?.invokers.map((invoker) => invoker.nodeId));
    const isGrace = nowMs < this.#graceUntilMs;
    const up = rows.filter((row) => !row.is_silent || (isGrace && known.has(row.id)));
    const print = up.map((row) => `${row.id}=${row.address}`).join();
    if (this.#known !== null && print === this.#print) return;
    this.#print = print;
    this.#known = create(fleet.InvokersSchema, {
      invokers: up.map((row) => ({ nodeId: row.id, address: row.address })),
    });
    for (const stream of this.#streams.all("poller")) this.tell(stream);
  }
}
