import type { Database, Sql } from "@penstock/postgres";
import { REQUEST_HOURS_MAX } from "../commands/once.ts";

/** Events and audit rows outlive what they are about, for so long. */
const HISTORY_DAYS_MAX = 30;
/** Gap reports kept of each mapping: the newest. */
export const GAPS_PER_MAPPING_MAX = 1_000;
/** Rows removed by one statement, so that it stays short. */
const ROWS_MAX = 5_000;

/** Removes what is too old or too much: at most some thousand rows of each kind. Returns whether more may be there. */
export async function prune({ sql }: Database): Promise<boolean> {
  const removed = [
    await pruneEvents(sql),
    await pruneAudit(sql),
    await pruneRequests(sql),
    await pruneGaps(sql),
  ];
  return removed.some((count) => count >= ROWS_MAX);
}

async function pruneEvents(sql: Sql): Promise<number> {
  const deleted = await sql`
    delete from mapping_events
     where id in (
       select id from mapping_events
        where at < now() - ${HISTORY_DAYS_MAX}::int * interval '1 day'
        order by at
        limit ${ROWS_MAX})`;
  return deleted.count;
}

async function pruneAudit(sql: Sql): Promise<number> {
  const deleted = await sql`
    delete from audit_events
     where id in (
       select id from audit_events
        where at < now() - ${HISTORY_DAYS_MAX}::int * interval '1 day'
        order by at
        limit ${ROWS_MAX})`;
  return deleted.count;
}

async function pruneRequests(sql: Sql): Promise<number> {
  const deleted = await sql`
    delete from api_requests
     where (caller, method, request_id) in (
       select caller, method, request_id from api_requests
        where made_at < now() - ${REQUEST_HOURS_MAX}::int * interval '1 hour'
        order by made_at
        limit ${ROWS_MAX})`;
  return deleted.count;
}

/** Counts first: hardly a mapping has many. */
async function pruneGaps(sql: Sql): Promise<number> {
  const deleted = await sql`
    delete from gaps
     where id in (
       select g.id
         from (select mapping_id from gaps group by mapping_id
               having count(*) > ${GAPS_PER_MAPPING_MAX}) as full_one
        cross join lateral (
              select id from gaps where mapping_id = full_one.mapping_id
               order by found_at desc, id
              offset ${GAPS_PER_MAPPING_MAX}) as g
        limit ${ROWS_MAX})`;
  return deleted.count;
}
