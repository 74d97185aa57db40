import { invariant, isLegalTransition, type MappingProblem } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { noteMappingChange } from "../../store/history/note-mapping-change.ts";
import type { MappingFacts } from "../mapping-view.ts";
import { writeProblems } from "../problems/write-problems.ts";

/** Moves a mapping on, if it still is as it was when that was decided. `problem`: with which it ended; null leaves what is known as it is. */
export async function writeState(
  sql: Sql,
  mapping: MappingFacts,
  state: "Enabled" | "Disabled",
  problem: MappingProblem | null,
): Promise<void> {
  invariant(isLegalTransition(mapping.state, state), `from ${mapping.state} to ${state}`);
  const rows = await sql`
    update mappings m set state = ${state}, state_since = now()
     where m.id = ${mapping.id} and m.state = ${mapping.state} and m.revision = ${mapping.revision}
       and (${state} <> 'Disabled' or not exists (
             select 1 from assignments a where a.mapping_id = m.id))`;
  if (rows.count === 0) return;
  if (state === "Disabled") await forgetHolders(sql, mapping.id);
  await noteMappingChange(sql, mapping.id, "stateChanged", whyOf(mapping, state, problem), {
    stateBefore: mapping.state,
    stateAfter: state,
  });
  if (problem !== null) await writeProblems(sql, [{ mapping, problem }]);
}

function whyOf(
  { state, isEnabled }: MappingFacts,
  after: "Enabled" | "Disabled",
  problem: MappingProblem | null,
): string {
  if (problem !== null)
    return `With a problem, which is tried on until it heals: ${problem.message}`;
  if (after === "Enabled")
    return "Its start is pinned and an event poller runs the present settings.";
  if (state === "Disabling") return "No call can start any more.";
  return isEnabled ? "Disabled." : "It is not to run; its settings are taken.";
}

/** Removes a mapping for good; `unconfirmed` nodes are named in its last event, and before it what became of its consumer group. */
export async function writeDeletion(
  sql: Sql,
  mapping: MappingFacts,
  unconfirmed: readonly string[],
  consumerGroup: string | null,
): Promise<void> {
  const rows = await sql`
    delete from mappings m
     where m.id = ${mapping.id} and m.state = 'Deleting'
       and not exists (select 1 from assignments a where a.mapping_id = m.id)`;
  if (rows.count === 0) return;
  await sql`delete from holdings where mapping_id = ${mapping.id}`;
  if (consumerGroup !== null) {
    await noteMappingChange(sql, mapping.id, "consumerGroup", consumerGroup);
  }
  const message =
    unconfirmed.length === 0
      ? "Deleted: no call can start any more."
      : `Deleted without the confirmation of ${unconfirmed.join(", ")}: ` +
        "these nodes vanished and the brokers could not be asked about their members of the group.";
  await noteMappingChange(sql, mapping.id, "deleted", message, { stateBefore: "Deleting" });
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
