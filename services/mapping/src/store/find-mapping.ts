import type { Sql } from "@penstock/postgres";
import { mappingColumns } from "./mapping-columns.ts";
import { type MappingRow, type StoredMapping, toStoredMapping } from "./stored-mapping.ts";

/** Several mappings at once, in no order; those that are gone are missing. */
export async function findMappings(sql: Sql, ids: readonly string[]): Promise<StoredMapping[]> {
  const rows = await sql<MappingRow[]>`
    select ${mappingColumns(sql)} from mappings where id = any(${ids}::uuid[])`;
  return rows.map(toStoredMapping);
}

/** The mapping, locked until the transaction ends: changes of one mapping come one after the other. */
export async function lockMapping(sql: Sql, id: string): Promise<StoredMapping | null> {
  const rows = await sql<MappingRow[]>`
    select ${mappingColumns(sql)} from mappings where id = ${id} for no key update`;
  return rows[0] ? toStoredMapping(rows[0]) : null;
}
