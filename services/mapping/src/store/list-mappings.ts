import type { FunctionRef } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { mappingColumns } from "./rows/mapping-columns.ts";
import { type MappingRow, type StoredMapping, toStoredMapping } from "./rows/stored-mapping.ts";

export interface MappingFilter {
  /** An unqualified reference matches every version and alias; a qualified one only its own. */
  readonly functionRef: FunctionRef | null;
}

/** At most `limit` mappings in order of creation, those after `after`. */
export async function listMappings(
  sql: Sql,
  filter: MappingFilter,
  after: bigint,
  limit: number,
): Promise<StoredMapping[]> {
  const ref = filter.functionRef;
  const ofFunction = ref ? sql`and function_name = ${ref.name}` : sql``;
  const ofQualifier =
    ref && ref.qualifier !== "" ? sql`and function_qualifier = ${ref.qualifier}` : sql``;
  const rows = await sql<MappingRow[]>`
    select ${mappingColumns(sql)} from mappings
     where sequence > ${after} ${ofFunction} ${ofQualifier}
     order by sequence
     limit ${limit}`;
  return rows.map(toStoredMapping);
}
