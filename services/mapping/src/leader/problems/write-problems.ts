import { type MappingProblem, processingResultOf, stateReasonOf } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { MAPPINGS_CHANNEL } from "../../fleet/fleet-notice.ts";
import type { MappingFacts } from "../mapping-view.ts";

export interface ShownProblem {
  /** As it was read. */
  readonly mapping: MappingFacts;
  /** What to show from now on; null = healed. */
  readonly problem: MappingProblem | null;
}

/**
 * Shows problems and healings, one statement for all: the precise cause, AWS's reason of the state and last result, and an event when the
 * problem is another one than before. A mapping that was changed since is left for the next look.
 */
export async function writeProblems(sql: Sql, shown: readonly ShownProblem[]): Promise<void> {
  const rows = shown.map(({ mapping, problem }) => ({
    id: mapping.id,
    revision: mapping.revision,
    code: problem?.code ?? null,
    message: problem?.message ?? null,
    reason: stateReasonOf(problem),
    result: problem === null ? null : processingResultOf(problem),
    ...eventOf(mapping, problem),
  }));
  await sql`
    with changed as (
      update mappings m
         set problem_code = r.code, problem_message = r.message,
             problem_since = case when r.code is null then null
               when m.problem_code = r.code then m.problem_since else now() end,
             state_reason = r.reason,
             last_processing_result = case
               when r.code is not null then r.result
               when m.last_processing_result not like 'PROBLEM: %' then m.last_processing_result
               when m.problem_code like 'function%' or exists (
                 select 1 from partition_progress p
                   left join pinned_starts s using (mapping_id, topic_id, partition)
                  where p.mapping_id = m.id and p.committed_offset > coalesce(s.start_offset, 0))
                 then 'OK'
               else 'No records processed' end
        from unnest(
          ${rows.map((row) => row.id)}::uuid[], ${rows.map((row) => row.revision)}::bigint[],
          ${rows.map((row) => row.code)}::text[], ${rows.map((row) => row.message)}::text[],
          ${rows.map((row) => row.reason)}::text[], ${rows.map((row) => row.result)}::text[],
          ${rows.map((row) => row.kind)}::text[], ${rows.map((row) => row.event)}::text[]
        ) as r (id, revision, code, message, reason, result, kind, event)
       where m.id = r.id and m.revision = r.revision and m.state <> 'Deleting'
      returning m.id, r.kind, r.event),
    noted as (
      insert into mapping_events (mapping_id, kind, message)
      select id, kind, event from changed where kind is not null)
    select pg_notify(${MAPPINGS_CHANNEL}, id::text) from changed`;
}

/** A problem that ends because the mapping is stopped has not healed. */
function eventOf(
  { problem: before, state }: MappingFacts,
  after: MappingProblem | null,
): { readonly kind: string | null; readonly event: string | null } {
  if (isSameProblem(before, after)) return { kind: null, event: null };
  if (after !== null) return { kind: "problem", event: after.message };
  if (state === "Disabling" || state === "Disabled") return { kind: null, event: null };
  return { kind: "healed", event: `Healed: ${before?.message ?? ""}` };
}

export function isSameProblem(a: MappingProblem | null, b: MappingProblem | null): boolean {
  return a?.code === b?.code && a?.message === b?.message;
}
