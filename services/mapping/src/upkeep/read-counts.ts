import type { MappingState } from "@penstock/core";
import type { Sql } from "@penstock/postgres";

/** Numbers of the control plane, for metrics. */
export interface ControlPlaneCounts {
  readonly mappings: readonly { readonly state: MappingState; readonly count: number }[];
  readonly nodes: readonly {
    readonly kind: string;
    readonly state: string;
    readonly count: number;
  }[];
}

export const NO_COUNTS: ControlPlaneCounts = { mappings: [], nodes: [] };

export async function readCounts(sql: Sql, nodeVanishedMs: number): Promise<ControlPlaneCounts> {
  const mappings = await sql<{ state: MappingState; count: number }[]>`
    select state, count(*)::int as count from mappings group by state`;
  const nodes = await sql<{ kind: string; state: string; count: number }[]>`
    select kind, case when is_draining then 'draining' else 'up' end as state, count(*)::int as count
      from nodes
     where seen_at > now() - ${nodeVanishedMs}::int * interval '1 millisecond'
     group by 1, 2`;
  return { mappings, nodes };
}
