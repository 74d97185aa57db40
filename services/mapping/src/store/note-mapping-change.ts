import { notify, type Sql } from "@penstock/postgres";

/** Channel on which every change of a mapping is announced; the payload is its id. */
export const MAPPINGS_CHANNEL = "penstock_mappings";

/** Writes what happened into the mapping's history and wakes controllers and watchers when the transaction commits. */
export async function noteMappingChange(
  sql: Sql,
  mappingId: string,
  kind: string,
  message: string,
): Promise<void> {
  await sql`
    insert into mapping_events (mapping_id, kind, message)
    values (${mappingId}, ${kind}, ${message})`;
  await notify(sql, MAPPINGS_CHANNEL, mappingId);
}
