import type { Database } from "@penstock/postgres";
import type { FleetLog } from "../fleet-log.ts";
import { notifyFleet } from "../fleet-notice.ts";
import { RepeatedWork } from "../repeated-work.ts";
import type { NodeStream } from "./node-stream.ts";
import type { NodeStreams } from "./node-streams.ts";

export interface PresenceOptions {
  readonly db: Database;
  readonly streams: NodeStreams;
  readonly replicaId: string;
  readonly log: FleetLog;
  readonly intervalMs: number;
  /** The stream's node is in the tables now. */
  readonly onClaimed: (stream: NodeStream) => void;
}

/**
 * Which nodes are here: one row for each, with the replica that has its stream and when it was last seen.
 *
 *   joined ─claim─▶ claimed ─(each interval: seen)─▶ … ─▶ left: row removed, when it ended in order and holds nothing
 *                                                    └─▶ silent: the leader declares it vanished
 *
 * The newest claim wins; a replica that finds another one in the row ends its own stream. While the database is away
 * streams stay, and are claimed or seen when it is back.
 */
export class Presence extends RepeatedWork {
  readonly #options: PresenceOptions;

  constructor(options: PresenceOptions) {
    super({
      name: "presence of nodes",
      intervalMs: options.intervalMs,
      log: options.log,
    });
    this.#options = options;
  }

  /**
   * The node ended its stream in order. When it holds nothing and takes nothing more, it is gone: nobody has to wait for it.
   */
  async left(stream: NodeStream): Promise<void> {
    const { db, replicaId } = this.#options;
    if (stream.isReplaced || !stream.areHoldingsStored) return;
    const { nodeId, kind } = stream.identity;
    const isPoller = kind === "poller";
    await db.transaction(async (sql) => {
      const rows = await sql`
        delete from nodes n
         where n.id = ${nodeId} and n.replica_id = ${replicaId}
           and (n.is_draining or not ${isPoller})
           and not exists (select 1 from holdings h where h.node_id = n.id)`;
      if (rows.count > 0) await notifyFleet(sql, { kind: "nodes" });
    });
  }

  protected override async work(): Promise<void> {
    const { streams } = this.#options;
    const claimed = streams.all().filter((stream) => stream.isClaimed);
    const unclaimed = streams.all().filter((stream) => !stream.isClaimed);
    if (claimed.length > 0) await this.#see(claimed);
    for (const stream of unclaimed) await this.#claim(stream);
  }

  /** A stream whose row is gone is claimed anew; one that another replica has claimed since is ended. */
  async #see(claimed: readonly NodeStream[]): Promise<void> {
    const { db, replicaId, streams } = this.#options;
    const ids = claimed.map((stream) => stream.identity.nodeId);
    const rows = await db.sql<{ id: string; replica_id: string }[]>`
      with seen as (
        update nodes set seen_at = clock_timestamp()
         where id = any(${ids}::uuid[]) and replica_id = ${replicaId}
        returning id, replica_id)
      select id, replica_id from seen
      union all
      select id, replica_id from nodes where id = any(${ids}::uuid[]) and replica_id <> ${replicaId}`;
    const holders = new Map(rows.map((row) => [row.id, row.replica_id]));
    for (const stream of claimed) {
      const holder = holders.get(stream.identity.nodeId);
      if (holder === undefined) {
        stream.isClaimed = false;
        stream.generation = -1n;
        this.wake();
      } else if (holder !== replicaId) streams.replace(stream);
    }
  }

  /**
   * A node without a generation gets one above all that were ever given. A node that has joined with a credential stays that credential's
   * for as long as it is known.
   */
  async #claim(stream: NodeStream): Promise<void> {
    const { db, replicaId, onClaimed, log, streams } = this.#options;
    const { nodeId, kind, address, version, credential } = stream.identity;
    const isClaimed = await db.transaction(async (sql) => {
      const rows = await sql`
        insert into nodes as known (id, kind, address, version, replica_id, credential, seen_at)
        values (${nodeId}, ${kind}, ${address}, ${version}, ${replicaId}, ${credential},
                clock_timestamp())
        on conflict (id) do update
          set kind = excluded.kind, address = excluded.address, version = excluded.version,
              replica_id = excluded.replica_id, credential = excluded.credential,
              joined_at = now(), seen_at = excluded.seen_at
          where known.credential is null or known.credential = excluded.credential
        returning id`;
      if (rows.length === 0) return false;
      await sql`
        insert into node_generations (node_id, generation)
        values (${nodeId}, nextval('assignment_generation'))
        on conflict (node_id) do nothing`;
      await notifyFleet(sql, { kind: "nodes", nodeId, replicaId });
      return true;
    });
    if (!isClaimed) {
      log.warn("node refused: it has joined with another credential", { nodeId, kind, address });
      streams.refuse(stream);
      return;
    }
    stream.isClaimed = true;
    log.info("node joined", { nodeId, kind, address, version });
    onClaimed(stream);
  }
}
