import { PenstockError } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { NOTICE_GROUPS_MAX, notifyFleet } from "../../fleet/fleet-notice.ts";
import type { PlacementPlan, StoredAssignment } from "./plan-placement.ts";

/** Assignments as they are, for the plan. */
export async function readStoredAssignments(sql: Sql): Promise<readonly StoredAssignment[]> {
  const rows = await sql<
    { mapping_id: string; poller_index: number; node_id: string; revision: bigint }[]
  >`select mapping_id, poller_index, node_id, revision from assignments`;
  return rows.map((row) => ({
    mappingId: row.mapping_id,
    index: row.poller_index,
    nodeId: row.node_id,
    revision: row.revision,
  }));
}

/**
 * Carries a plan out in the leader's transaction: one new generation for all nodes that it touches. Who loses something is
 * remembered until it has confirmed that. The announcement goes before the assignments.
 */
export async function writePlacement(
  sql: Sql,
  plan: PlacementPlan,
  plannedChangeMs: number,
): Promise<bigint> {
  const rows = await sql<{ generation: bigint }[]>`
    select nextval('assignment_generation') as generation`;
  const generation = rows[0]?.generation ?? 0n;
  await lockTargets(sql, plan);
  for (let at = 0; at < plan.changingGroups.length; at += NOTICE_GROUPS_MAX) {
    const groups = plan.changingGroups.slice(at, at + NOTICE_GROUPS_MAX);
    await notifyFleet(sql, { kind: "planned", groups, durationMs: plannedChangeMs });
  }
  if (plan.removed.length > 0) await remove(sql, plan, generation);
  if (plan.added.length + plan.revised.length > 0) await put(sql, plan, generation);
  await sql`
    insert into node_generations (node_id, generation)
    select n.id, ${generation} from nodes n where n.id = any(${plan.nodeIds}::uuid[])
    on conflict (node_id) do update set generation = excluded.generation`;
  await notifyFleet(sql, { kind: "assignments" });
  return generation;
}

/** A node or mapping that went away since the plan was made: the plan is made anew. */
async function lockTargets(sql: Sql, plan: PlacementPlan): Promise<void> {
  const nodeIds = [...new Set([...plan.added, ...plan.revised].map((one) => one.nodeId))];
  const nodes = await sql`
    select 1 from nodes where id = any(${nodeIds}::uuid[]) order by id for key share`;
  const mappingIds = [...new Set(plan.added.map((one) => one.mappingId))];
  const mappings = await sql`
    select 1 from mappings where id = any(${mappingIds}::uuid[]) order by id for key share`;
  if (nodes.length !== nodeIds.length || mappings.length !== mappingIds.length) {
    throw new PenstockError("aborted", "the fleet changed while event pollers were placed");
  }
}

async function remove(sql: Sql, { removed }: PlacementPlan, generation: bigint): Promise<void> {
  const mappingIds = removed.map((one) => one.mappingId);
  const indexes = removed.map((one) => one.index);
  const nodeIds = removed.map((one) => one.nodeId);
  await sql`
    delete from assignments a
     using unnest(${mappingIds}::uuid[], ${indexes}::int[], ${nodeIds}::uuid[])
        as r (mapping_id, poller_index, node_id)
     where a.mapping_id = r.mapping_id and a.poller_index = r.poller_index and a.node_id = r.node_id`;
  await sql`
    insert into assignment_removals (mapping_id, node_id, generation)
    select distinct m.id, n.id, ${generation}::bigint
      from unnest(${mappingIds}::uuid[], ${nodeIds}::uuid[]) as r (mapping_id, node_id)
      join mappings m on m.id = r.mapping_id
      join nodes n on n.id = r.node_id
    on conflict (mapping_id, node_id) do update
      set generation = excluded.generation, removed_at = now()`;
  await sql`
    delete from poller_problems p
     using unnest(${mappingIds}::uuid[], ${indexes}::int[]) as r (mapping_id, poller_index)
     where p.mapping_id = r.mapping_id and p.poller_index = r.poller_index`;
}

async function put(sql: Sql, plan: PlacementPlan, generation: bigint): Promise<void> {
  const rows = [...plan.added, ...plan.revised];
  await sql`
    insert into assignments (mapping_id, poller_index, node_id, generation, revision)
    select r.mapping_id, r.poller_index, r.node_id, ${generation}::bigint, r.revision
      from unnest(${rows.map((one) => one.mappingId)}::uuid[], ${rows.map((one) => one.index)}::int[],
                  ${rows.map((one) => one.nodeId)}::uuid[], ${rows.map((one) => one.revision)}::bigint[])
        as r (mapping_id, poller_index, node_id, revision)
    on conflict (mapping_id, poller_index) do update
      set node_id = excluded.node_id, generation = excluded.generation, revision = excluded.revision`;
}
