import {
  type ArnScope,
  areEqualSettings,
  changedSettings,
  functionArn,
  invariant,
  PenstockError,
  stateAfterUpdate,
} from "@penstock/core";
import type { Database, Sql } from "@penstock/postgres";
import { assertFunctionExists } from "./assert-function-exists.ts";
import { claimSources } from "./claim-sources.ts";
import { lockMapping } from "./find-mapping.ts";
import { mappingColumns } from "./mapping-columns.ts";
import { mutableColumns } from "./mutable-columns.ts";
import { noteMappingChange } from "./note-mapping-change.ts";
import { type MappingRow, type StoredMapping, toStoredMapping } from "./stored-mapping.ts";

/** AWS's words for an unknown UUID. */
export const MAPPING_MISSING = "The resource you requested does not exist.";

/**
 * Changes settings of a mapping: one revision for each change, none for an equal one.
 *
 * @throws PenstockError `notFound`; `inUse` while it is being deleted; `conflict`, `invalidArgument` as at create.
 */
export async function changeMapping(
  db: Database,
  scope: ArnScope,
  id: string,
  apply: (before: StoredMapping) => StoredMapping,
): Promise<StoredMapping> {
  return db.transaction(async (sql) => {
    const before = await lockMapping(sql, id);
    if (!before) throw new PenstockError("notFound", MAPPING_MISSING);
    if (before.state === "Deleting") {
      throw new PenstockError("inUse", `The event source mapping ${id} is being deleted.`);
    }
    const after = apply(before);
    if (areEqualSettings(before, after)) return before;
    await moveToFunction(sql, scope, before, after);
    const stored = await updateRow(sql, scope, before, after);
    await noteMappingChange(sql, id, "updated", describe(before, after));
    return stored;
  });
}

async function moveToFunction(
  sql: Sql,
  scope: ArnScope,
  before: StoredMapping,
  after: StoredMapping,
): Promise<void> {
  const arn = functionArn(scope, after.functionRef);
  if (arn === functionArn(scope, before.functionRef)) return;
  await assertFunctionExists(sql, after.functionRef.name);
  await claimSources(sql, {
    mappingId: before.id,
    functionArn: arn,
    bootstrapServers: before.bootstrapServers,
    topic: before.topic,
  });
}

async function updateRow(sql: Sql, scope: ArnScope, before: StoredMapping, after: StoredMapping) {
  const state = stateAfterUpdate(before.state, before, after);
  const columns = mutableColumns(functionArn(scope, after.functionRef), after);
  const rows = await sql<MappingRow[]>`
    update mappings
       set ${sql(columns)},
           revision = revision + 1,
           state = ${state},
           state_reason = 'USER_INITIATED',
           state_since = case when state = ${state} then state_since else now() end,
           modified_at = now()
     where id = ${before.id} and revision = ${before.revision}
    returning ${mappingColumns(sql)}`;
  invariant(rows[0], "a locked mapping changed");
  return toStoredMapping(rows[0]);
}

function describe(before: StoredMapping, after: StoredMapping): string {
  return `Changed: ${changedSettings(before, after).join(", ")}.`;
}
