import type { Sql } from "@penstock/postgres";

/** Where a partition is, as last reported. */
export interface PartitionRow {
  mapping_id: string;
  topic: string;
  partition: number;
  position: bigint;
  /** -1 = nothing was committed. */
  committed_offset: bigint;
  /** -1 = unknown. */
  log_end_offset: bigint;
  lag: bigint;
  node_id: string;
  updated_at: Date;
}

/**
 * Partitions of the mappings' present topics. Lag counts from the committed offset; where there is none, from the pinned start, else from the
 * position.
 */
export async function readPartitions(sql: Sql, mappingIds: readonly string[]) {
  return sql<PartitionRow[]>`
    select p.mapping_id, m.topic, p.partition, p.position, p.committed_offset, p.log_end_offset,
           case when p.log_end_offset < 0 then 0
                else greatest(0, p.log_end_offset
                       - coalesce(nullif(p.committed_offset, -1), s.start_offset, p.position))
           end as lag,
           p.node_id, p.updated_at
      from partition_progress p
      join mappings m on m.id = p.mapping_id and (m.topic_id is null or m.topic_id = p.topic_id)
      left join pinned_starts s
        on s.mapping_id = p.mapping_id and s.topic_id = p.topic_id and s.partition = p.partition
     where p.mapping_id = any(${mappingIds}::uuid[])
     order by p.mapping_id, p.partition, p.updated_at`;
}

export interface GapRow {
  mapping_id: string;
  topic: string;
  partition: number;
  first_offset: bigint;
  last_offset: bigint;
  reason: string;
  message: string;
  found_at: Date;
}

/** Gaps that a mapping shows. */
export const GAPS_SHOWN_MAX = 100;

/** The newest gaps of each mapping, newest first. */
export async function readGaps(sql: Sql, mappingIds: readonly string[]) {
  return sql<GapRow[]>`
    select g.mapping_id, g.topic, g.partition, g.first_offset, g.last_offset, g.reason, g.message, g.found_at
      from unnest(${mappingIds}::uuid[]) as wanted (id)
     cross join lateral (
           select * from gaps where mapping_id = wanted.id
            order by found_at desc, partition, first_offset
            limit ${GAPS_SHOWN_MAX}) g`;
}

export interface WaitRow {
  mapping_id: string;
  node_id: string;
}

/** Nodes that may still call for a mapping that is to stop. */
export async function readWaits(sql: Sql, mappingIds: readonly string[]) {
  return sql<WaitRow[]>`
    select w.mapping_id, w.node_id::text as node_id
      from (select mapping_id, node_id from holdings
             union select mapping_id, node_id from assignments
             union select mapping_id, node_id from assignment_removals) w
      join mappings m on m.id = w.mapping_id
     where m.state in ('Disabling', 'Deleting') and m.id = any(${mappingIds}::uuid[])
     order by 1, 2`;
}
