import type { Database } from "@penstock/postgres";

/** What the control plane knows of a mapping's run, beside the mapping itself. */
export interface StoredRun {
  readonly stateSince: Date;
  /** Null = not learned yet. */
  readonly partitionCount: number | null;
  readonly pollers: readonly StoredPoller[];
}

export interface StoredPoller {
  readonly index: number;
  readonly nodeId: string;
  /** Of the node's gRPC service. */
  readonly address: string;
  /** As it last reported; null when it has none. */
  readonly problem: string | null;
  readonly memberId: string | null;
}

interface RunRow {
  state_since: Date;
  partition_count: number | null;
}

interface PollerRow {
  poller_index: number;
  node_id: string;
  address: string;
  problem: string | null;
  member_id: string | null;
}

/** Null when the mapping is gone. */
export async function readRun(db: Database, mappingId: string): Promise<StoredRun | null> {
  const [runs, pollers] = await db.transaction(
    (sql) =>
      Promise.all([
        sql<RunRow[]>`select state_since, partition_count from mappings where id = ${mappingId}`,
        // A node that still holds an event poller which is assigned elsewhere already is asked too.
        sql<PollerRow[]>`
          select w.poller_index, w.node_id, n.address, p.message as problem, h.member_id
            from (select poller_index, node_id from assignments where mapping_id = ${mappingId}
                   union select poller_index, node_id from holdings where mapping_id = ${mappingId}) w
            join nodes n on n.id = w.node_id
            left join holdings h
              on h.mapping_id = ${mappingId} and h.node_id = w.node_id and h.poller_index = w.poller_index
            left join poller_problems p
              on p.mapping_id = ${mappingId} and p.poller_index = w.poller_index
           order by w.poller_index, w.node_id`,
      ]),
    { isolation: "repeatable read", isReadOnly: true },
  );
  const run = runs[0];
  if (run === undefined) return null;
  return {
    stateSince: run.state_since,
    partitionCount: run.partition_count,
    pollers: pollers.map((row) => ({
      index: row.poller_index,
      nodeId: row.node_id,
      address: row.address,
      problem: row.problem,
      memberId: row.member_id,
    })),
  };
}
