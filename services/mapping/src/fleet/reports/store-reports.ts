import type { Sql } from "@penstock/postgres";
import { MAPPINGS_CHANNEL } from "../fleet-notice.ts";
import type { GapRow } from "./gap-row.ts";
import type { EventRow, PartitionRow, ProblemRow, ReportBatch, ResultRow } from "./report-batch.ts";

/** Rows of one statement, so that it stays far below the statement timeout. */
const ROWS_MAX = 5_000;

/**
 * Writes reports. Each statement tells the watchers of the mappings that it changed; a mapping that is gone is skipped, and kept
 * from going while its rows are written. Rows are ordered, so that two replicas never wait for each other in a circle.
 */
export async function storeReports(sql: Sql, batch: ReportBatch): Promise<void> {
  for (const rows of chunks([...batch.partitions.values()])) await storePartitions(sql, rows);
  for (const rows of chunks([...batch.gaps.values()])) await storeGaps(sql, rows);
  for (const rows of chunks([...batch.results.values()])) await storeResults(sql, rows);
  for (const rows of chunks([...batch.events.values()])) await storeEvents(sql, rows);
  for (const rows of chunks([...batch.problems.values()])) await storeProblems(sql, rows);
}

/**
 * A newer epoch replaces an older one, never the reverse; in one epoch the committed offset never goes back. "Nothing
 * committed" says nothing about what the archive knows, so it keeps that number.
 */
async function storePartitions(sql: Sql, rows: readonly PartitionRow[]): Promise<void> {
  await sql`
    with stored as (
      insert into partition_progress as known
        (mapping_id, topic_id, partition, assignment_epoch, node_id,
         position, committed_offset, log_end_offset)
      select r.mapping_id, r.topic_id, r.partition, r.assignment_epoch, r.node_id,
             r.position, r.committed_offset, r.log_end_offset
        from unnest(
          ${rows.map((row) => row.mappingId)}::uuid[], ${rows.map((row) => row.topicId)}::uuid[],
          ${rows.map((row) => row.partition)}::int[], ${rows.map((row) => row.assignmentEpoch)}::int[],
          ${rows.map((row) => row.nodeId)}::uuid[], ${rows.map((row) => row.position)}::bigint[],
          ${rows.map((row) => row.committedOffset)}::bigint[],
          ${rows.map((row) => row.logEndOffset)}::bigint[]
        ) as r (mapping_id, topic_id, partition, assignment_epoch, node_id,
                position, committed_offset, log_end_offset)
        join mappings m on m.id = r.mapping_id
       order by r.mapping_id, r.topic_id, r.partition
         for key share of m
      on conflict (mapping_id, topic_id, partition) do update
        set assignment_epoch = excluded.assignment_epoch, node_id = excluded.node_id,
            position = excluded.position, log_end_offset = excluded.log_end_offset,
            committed_offset = case when excluded.committed_offset < 0
              then known.committed_offset else excluded.committed_offset end,
            updated_at = now()
        where excluded.assignment_epoch > known.assignment_epoch
           or (excluded.assignment_epoch = known.assignment_epoch
               and (excluded.committed_offset >= known.committed_offset
                    or excluded.committed_offset < 0))
      returning mapping_id)
    select pg_notify(${MAPPINGS_CHANNEL}, mapping_id::text)
      from (select distinct mapping_id from stored) as changed`;
}

/** Each gap once, whatever is reported again, with an event in the mapping's history. */
async function storeGaps(sql: Sql, rows: readonly GapRow[]): Promise<void> {
  await sql`
    with stored as (
      insert into gaps (id, mapping_id, topic_id, topic, partition,
                        first_offset, last_offset, reason, message, found_at)
      select r.id, r.mapping_id, r.topic_id, r.topic, r.partition,
             r.first_offset, r.last_offset, r.reason, r.message, r.found_at
        from unnest(
          ${rows.map((row) => row.gapId)}::uuid[], ${rows.map((row) => row.mappingId)}::uuid[],
          ${rows.map((row) => row.topicId)}::uuid[], ${rows.map((row) => row.topic)}::text[],
          ${rows.map((row) => row.partition)}::int[], ${rows.map((row) => row.firstOffset)}::bigint[],
          ${rows.map((row) => row.lastOffset)}::bigint[], ${rows.map((row) => row.reason)}::text[],
          ${rows.map((row) => row.message)}::text[], ${rows.map((row) => row.foundAt)}::timestamptz[]
        ) as r (id, mapping_id, topic_id, topic, partition,
                first_offset, last_offset, reason, message, found_at)
        join mappings m on m.id = r.mapping_id
       order by r.id
         for key share of m
      on conflict (id) do nothing
      returning mapping_id, topic, partition, first_offset, last_offset, reason, message),
    noted as (
      insert into mapping_events (mapping_id, kind, message)
      select mapping_id, 'gap', reason || ' ' || topic || '-' || partition || ' offsets '
             || first_offset || ' to ' || last_offset || ': ' || message from stored)
    select pg_notify(${MAPPINGS_CHANNEL}, mapping_id::text)
      from (select distinct mapping_id from stored) as changed`;
}

/** A mapping with a problem shows that, whatever its last call said: the leader writes it, and its end. */
async function storeResults(sql: Sql, rows: readonly ResultRow[]): Promise<void> {
  await sql`
    with stored as (
      update mappings m set last_processing_result = r.result
        from unnest(${rows.map((row) => row.mappingId)}::uuid[],
                    ${rows.map((row) => row.result)}::text[])
          as r (mapping_id, result)
       where m.id = r.mapping_id and m.last_processing_result is distinct from r.result
         and m.problem_code is null
      returning m.id)
    select pg_notify(${MAPPINGS_CHANNEL}, id::text) from stored`;
}

async function storeEvents(sql: Sql, rows: readonly EventRow[]): Promise<void> {
  await sql`
    with noted as (
      insert into mapping_events (mapping_id, kind, message)
      select r.mapping_id, r.kind, r.message
        from unnest(${rows.map((row) => row.mappingId)}::uuid[], ${rows.map((row) => row.kind)}::text[],
                    ${rows.map((row) => row.message)}::text[])
          as r (mapping_id, kind, message)
        join mappings m on m.id = r.mapping_id
      returning mapping_id)
    select pg_notify(${MAPPINGS_CHANNEL}, mapping_id::text)
      from (select distinct mapping_id from noted) as changed`;
}

/**
 * What event pollers say is the leader's to show: it chooses among what is known of a mapping. Of an event poller that has moved, only its new node
 * says how it is.
 */
async function storeProblems(sql: Sql, rows: readonly ProblemRow[]): Promise<void> {
  const healed = rows.filter((row) => row.code === "");
  const present = rows.filter((row) => row.code !== "");
  if (present.length > 0) {
    await sql`
      with reported as (
        select r.mapping_id, r.poller_index, r.code, r.message
          from unnest(
            ${present.map((row) => row.mappingId)}::uuid[], ${present.map((row) => row.index)}::int[],
            ${present.map((row) => row.code)}::text[], ${present.map((row) => row.message)}::text[],
            ${present.map((row) => row.nodeId)}::uuid[]
          ) as r (mapping_id, poller_index, code, message, node_id)
          join mappings m on m.id = r.mapping_id
          join assignments a on a.mapping_id = r.mapping_id
           and a.poller_index = r.poller_index and a.node_id = r.node_id
         order by r.mapping_id, r.poller_index
           for key share of m),
      stored as (
        insert into poller_problems as known (mapping_id, poller_index, code, message)
        select * from reported
        on conflict (mapping_id, poller_index) do update
          set code = excluded.code, message = excluded.message, since = now()
          where known.code <> excluded.code or known.message <> excluded.message
        returning mapping_id)
      select pg_notify(${MAPPINGS_CHANNEL}, mapping_id::text)
        from (select distinct mapping_id from stored) as changed`;
  }
  if (healed.length > 0) {
    await sql`
      with gone as (
        delete from poller_problems p
         using unnest(${healed.map((row) => row.mappingId)}::uuid[],
                      ${healed.map((row) => row.index)}::int[],
                      ${healed.map((row) => row.nodeId)}::uuid[])
                 as r (mapping_id, poller_index, node_id),
               assignments a
         where p.mapping_id = r.mapping_id and p.poller_index = r.poller_index
           and a.mapping_id = r.mapping_id and a.poller_index = r.poller_index
           and a.node_id = r.node_id
        returning p.mapping_id)
      select pg_notify(${MAPPINGS_CHANNEL}, mapping_id::text)
        from (select distinct mapping_id from gone) as changed`;
  }
}

function* chunks<T>(rows: readonly T[]): Generator<readonly T[]> {
  for (let at = 0; at < rows.length; at += ROWS_MAX) yield rows.slice(at, at + ROWS_MAX);
}
