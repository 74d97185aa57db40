import { PenstockError } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { mappingColumns } from "./rows/mapping-columns.ts";
import { type MappingRow, type StoredMapping, toStoredMapping } from "./rows/stored-mapping.ts";

/** AWS's words for an unknown UUID. */
export const MAPPING_MISSING = "The resource you requested does not exist.";

/** Several mappings at once, in no order; those that are gone are missing. */
export async function findMappings(sql: Sql, ids: readonly string[]): Promise<StoredMapping[]> {
  const rows = await sql<MappingRow[]>`
    select ${mappingColumns(sql)} from mappings where id = any(${ids}::uuid[])`;
  return rows.map(toStoredMapping);
}

/** A mapping as a change finds it. */
export interface LockedMapping {
  readonly mapping: StoredMapping;
  /** Whether a change must wait: in transition since less than {@link TRANSITION_MAX_MS}, by the clock of the database. */
  readonly isInTransition: boolean;
}

/** A controller ends every transition within this time; afterwards changes are taken whatever the state says. */
export const TRANSITION_MAX_MS = 30_000;

/** The mapping, locked until the transaction ends: changes of one mapping come one after the other. @throws PenstockError `notFound`. */
export async function lockMapping(sql: Sql, id: string): Promise<LockedMapping> {
  const rows = await sql<(MappingRow & { is_in_transition: boolean })[]>`
    select ${mappingColumns(sql)},
           state in ('Creating', 'Updating', 'Enabling')
             and state_since > clock_timestamp() - ${TRANSITION_MAX_MS}::int * interval '1 millisecond'
             as is_in_transition
      from mappings where id = ${id} for no key update`;
  if (!rows[0]) throw new PenstockError("notFound", MAPPING_MISSING);
  return { mapping: toStoredMapping(rows[0]), isInTransition: rows[0].is_in_transition };
}
