import type { Sql } from "./sql-query.ts";

/** Tells the listeners of a channel, when the transaction commits. At most 7 900 bytes; equal payloads of one transaction are merged. */
export async function notify(sql: Sql, channel: string, payload: string): Promise<void> {
  await sql`select pg_notify(${channel}, ${payload})`;
}
