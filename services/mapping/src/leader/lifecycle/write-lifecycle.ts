import type { Sql } from "@penstock/postgres";
import { noteMappingChange } from "../../store/note-mapping-change.ts";
import type { MappingFacts } from "../mapping-view.ts";
import { USER_INITIATED } from "./decide-lifecycle.ts";

/** Moves a mapping on, if it still is as it was when that was decided. */
export async function writeState(
  sql: Sql,
  mapping: MappingFacts,
  state: "Enabled" | "Disabled",
  reason: string,
): Promise<void> {
  const rows = await sql`
    update mappings m
       set state = ${state}, state_reason = ${reason}, state_since = now(),
           last_processing_result = case when ${reason} = ${USER_INITIATED}
             then m.last_processing_result else ${reason} end
     where m.id = ${mapping.id} and m.state = ${mapping.state} and m.revision = ${mapping.revision}
       and (${state} <> 'Disabled' or not exists (
             select 1 from assignments a where a.mapping_id = m.id))`;
  if (rows.count === 0) return;
  if (state === "Disabled") await forgetHolders(sql, mapping.id);
  await noteMappingChange(sql, mapping.id, state.toLowerCase(), reason);
}

/** Removes a mapping for good; `unconfirmed` nodes are named in its last event. */
export async function writeDeletion(
  sql: Sql,
  mapping: MappingFacts,
  unconfirmed: readonly string[],
): Promise<void> {
  const rows = await sql`
    delete from mappings m
     where m.id = ${mapping.id} and m.state = 'Deleting'
       and not exists (select 1 from assignments a where a.mapping_id = m.id)`;
  if (rows.count === 0) return;
  await sql`delete from holdings where mapping_id = ${mapping.id}`;
  const message =
    unconfirmed.length === 0
      ? "Deleted: no call can start any more."
      : `Deleted without the confirmation of ${unconfirmed.join(", ")}: ` +
        "these nodes vanished and the brokers could not be asked about their members of the group.";
  await noteMappingChange(sql, mapping.id, "deleted", message);
}

/** A node that is gone holds the mapping no more: Kafka says so, and the drain limit has passed. */
export async function writeRelease(
  sql: Sql,
  mappingId: string,
  nodeIds: readonly string[],
): Promise<void> {
  await sql`
    delete from holdings where mapping_id = ${mappingId} and node_id = any(${nodeIds}::uuid[])`;
  await sql`
    delete from assignment_removals
     where mapping_id = ${mappingId} and node_id = any(${nodeIds}::uuid[])`;
}

/**
 * Nobody holds the mapping: what is reported from now on comes from new members. Kafka forgets a group that was empty for long and counts its
 * epochs from the start again; so does the progress, or new reports would look old.
 */
export async function resetEpochs(sql: Sql, mappingId: string): Promise<void> {
  await sql`
    update partition_progress set assignment_epoch = 0
     where mapping_id = ${mappingId} and assignment_epoch <> 0`;
}

async function forgetHolders(sql: Sql, mappingId: string): Promise<void> {
  await sql`delete from holdings where mapping_id = ${mappingId}`;
  await sql`delete from assignment_removals where mapping_id = ${mappingId}`;
  await sql`delete from poller_problems where mapping_id = ${mappingId}`;
  await resetEpochs(sql, mappingId);
}
