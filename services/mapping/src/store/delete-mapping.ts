import { invariant, PenstockError } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import { MAPPING_MISSING } from "./change-mapping.ts";
import { lockMapping } from "./find-mapping.ts";
import { mappingColumns } from "./mapping-columns.ts";
import { noteMappingChange } from "./note-mapping-change.ts";
import { type MappingRow, type StoredMapping, toStoredMapping } from "./stored-mapping.ts";

/**
 * Marks a mapping as Deleting; a controller removes the row when nothing can call any more. Again while Deleting changes nothing.
 *
 * @throws PenstockError `notFound`.
 */
export async function markMappingDeleting(db: Database, id: string): Promise<StoredMapping> {
  return db.transaction(async (sql) => {
    const before = await lockMapping(sql, id);
    if (!before) throw new PenstockError("notFound", MAPPING_MISSING);
    if (before.state === "Deleting") return before;
    const rows = await sql<MappingRow[]>`
      update mappings
         set state = 'Deleting', state_reason = 'USER_INITIATED', state_since = now()
       where id = ${id}
      returning ${mappingColumns(sql)}`;
    invariant(rows[0], "a locked mapping is gone");
    await noteMappingChange(sql, id, "deleting", "Delete asked for.");
    return toStoredMapping(rows[0]);
  });
}
