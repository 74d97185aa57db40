import type { MappingState } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { MAPPINGS_CHANNEL } from "../../fleet/fleet-notice.ts";

/** Who made a change, and what became of the state by it. */
export interface ChangeDetails {
  /** The caller's subject; default `penstock`: a controller. */
  readonly actor?: string;
  /** When the state changed: before and after. */
  readonly stateBefore?: MappingState;
  readonly stateAfter?: MappingState;
}

/** Writes what happened into the mapping's history and wakes controllers and watchers when the transaction commits. */
export async function noteMappingChange(
  sql: Sql,
  mappingId: string,
  kind: string,
  message: string,
  details: ChangeDetails = {},
): Promise<void> {
  const { actor = "penstock", stateBefore = null, stateAfter = null } = details;
  await sql`
    with noted as (
      insert into mapping_events (mapping_id, kind, message, actor, state_before, state_after)
      values (${mappingId}, ${kind}, ${message}, ${actor}, ${stateBefore}, ${stateAfter}))
    select pg_notify(${MAPPINGS_CHANNEL}, ${mappingId})`;
}
