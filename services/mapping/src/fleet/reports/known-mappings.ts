import type { Sql } from "@penstock/postgres";

/** A mapping, and a node that speaks of it. */
export interface NodeMapping {
  readonly nodeId: string;
  readonly mappingId: string;
}

/** Pairs of one question. */
const PAIRS_MAX = 5_000;

/**
 * Rows of (mapping_id, node_id): the node is to run the mapping, was told so and holds it, or has yet to confirm that it gave it up. Whatever a
 * node says of another mapping counts for nothing. The last word of a node comes before its confirmation, so it counts.
 */
export function holdersFragment(sql: Sql) {
  return sql`
    select mapping_id, node_id from assignments
    union all select mapping_id, node_id from assignment_removals
    union all select mapping_id, node_id from holdings`;
}

/** Those of the pairs that the tables know, by `keyOfPair`. */
export async function readKnownMappings(
  sql: Sql,
  pairs: readonly NodeMapping[],
): Promise<ReadonlySet<string>> {
  const known = new Set<string>();
  for (let at = 0; at < pairs.length; at += PAIRS_MAX) {
    const some = pairs.slice(at, at + PAIRS_MAX);
    const rows = await sql<{ mapping_id: string; node_id: string }[]>`
      select r.mapping_id, r.node_id
        from unnest(${some.map((one) => one.mappingId)}::uuid[],
                    ${some.map((one) => one.nodeId)}::uuid[]) as r (mapping_id, node_id)
       where exists (
         select 1 from (${holdersFragment(sql)}) as h
          where h.mapping_id = r.mapping_id and h.node_id = r.node_id)`;
    for (const row of rows) {
      known.add(keyOfPair({ nodeId: row.node_id, mappingId: row.mapping_id }));
    }
  }
  return known;
}

export function keyOfPair({ nodeId, mappingId }: NodeMapping): string {
  return `${nodeId}/${mappingId}`;
}
