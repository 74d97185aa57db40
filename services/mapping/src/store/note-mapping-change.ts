import type { Sql } from "@penstock/postgres";
import { MAPPINGS_CHANNEL } from "../fleet/fleet-notice.ts";

/** Writes what happened into the mapping's history and wakes controllers and watchers when the transaction commits. */
export async function noteMappingChange(
  sql: Sql,
  mappingId: string,
  kind: string,
  message: string,
): Promise<void> {
  await sql`
    with noted as (
      insert into mapping_events (mapping_id, kind, message)
      values (${mappingId}, ${kind}, ${message}))
    select pg_notify(${MAPPINGS_CHANNEL}, ${mappingId})`;
}
