import type { Sql } from "@penstock/postgres";

/** How long the history of mappings is kept. */
const EVENT_DAYS_MAX = 30;
/** Rows of one statement, so that it stays short. */
const ROWS_MAX = 5_000;

/** Removes events that are too old, at most some thousand at a time. Returns how many. */
export async function pruneEvents(sql: Sql): Promise<number> {
  const deleted = await sql`
    delete from mapping_events
     where id in (
       select id from mapping_events
        where at < now() - ${EVENT_DAYS_MAX}::int * interval '1 day'
        order by at
        limit ${ROWS_MAX})`;
  return deleted.count;
}
