import type { Holder } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import type { NodeFacts } from "../placement/node-view.ts";

/** A holder of a mapping, with the members that it named. */
export interface StoredHolder extends Holder {
  readonly mappingId: string;
  readonly memberIds: readonly string[];
}

interface Row {
  mapping_id: string;
  node_id: string;
  is_assigned: boolean;
  removal: bigint | null;
  held_revision: bigint | null;
  has_joined: boolean | null;
  member_id: string | null;
}

export interface HolderQuery {
  readonly mappingIds: readonly string[];
  readonly nodeIds: readonly string[];
}

/**
 * All holders of the mappings that are named, that a named node holds, or that any node was told to give up; by mapping. One
 * statement, one moment.
 */
export async function readHolders(
  sql: Sql,
  query: HolderQuery,
  nodes: readonly NodeFacts[],
): Promise<Map<string, StoredHolder[]>> {
  const { mappingIds, nodeIds } = query;
  const rows = await sql<Row[]>`
    with wanted as (
      select unnest(${mappingIds}::uuid[]) as mapping_id
      union select mapping_id from holdings where node_id = any(${nodeIds}::uuid[])
      union select mapping_id from assignments where node_id = any(${nodeIds}::uuid[])
      union select mapping_id from assignment_removals),
    pairs as (
      select mapping_id, node_id from holdings where mapping_id in (select mapping_id from wanted)
      union select mapping_id, node_id from assignments
             where mapping_id in (select mapping_id from wanted)
      union select mapping_id, node_id from assignment_removals
             where mapping_id in (select mapping_id from wanted))
    select p.mapping_id, p.node_id,
           exists (select 1 from assignments a
                    where a.mapping_id = p.mapping_id and a.node_id = p.node_id) as is_assigned,
           r.generation as removal,
           h.revision as held_revision, h.has_joined, h.member_id
      from pairs p
      left join assignment_removals r on r.mapping_id = p.mapping_id and r.node_id = p.node_id
      left join holdings h on h.mapping_id = p.mapping_id and h.node_id = p.node_id
     order by p.mapping_id, p.node_id, h.poller_index`;
  const factsOf = new Map(nodes.map((node) => [node.nodeId, node]));
  const holders = new Map<string, StoredHolder[]>();
  for (const group of Map.groupBy(rows, (row) => `${row.mapping_id} ${row.node_id}`).values()) {
    const holder = toHolder(group, factsOf);
    if (holder === null) continue;
    const known = holders.get(holder.mappingId);
    if (known === undefined) holders.set(holder.mappingId, [holder]);
    else known.push(holder);
  }
  return holders;
}

/** A node that joined after the nodes were read counts as present: the next look knows more. */
function toHolder(
  rows: readonly Row[],
  factsOf: ReadonlyMap<string, NodeFacts>,
): StoredHolder | null {
  const first = rows[0];
  if (first === undefined) return null;
  const node = factsOf.get(first.node_id);
  return {
    mappingId: first.mapping_id,
    nodeId: first.node_id,
    isGone: node?.condition === "gone",
    isAssigned: first.is_assigned,
    removal: first.removal,
    appliedGeneration: node?.appliedGeneration ?? 0n,
    held: rows.flatMap(({ held_revision, has_joined }) =>
      held_revision === null ? [] : { revision: held_revision, hasJoined: has_joined === true },
    ),
    memberIds: rows.flatMap((row) => (row.member_id === null ? [] : row.member_id)),
  };
}
