import {
  changedSettings,
  functionArn,
  invalidField,
  invariant,
  type MappingChanges,
  type MappingSettings,
  PenstockError,
  stateAfterUpdate,
} from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import { assertFunctionExists } from "./assert-function-exists.ts";
import { claimSources } from "./claim-sources.ts";
import { assertEtag } from "./etag.ts";
import { type LockedMapping, lockMapping } from "./find-mapping.ts";
import { mappingColumns } from "./rows/mapping-columns.ts";
import { mutableColumns } from "./rows/mutable-columns.ts";
import {
  type FilterColumns,
  filterColumns,
  type OpenedMapping,
  openFilter,
} from "./rows/stored-filter.ts";
import { type MappingRow, type StoredMapping, toStoredMapping } from "./rows/stored-mapping.ts";
import type { StoreContext } from "./store-context.ts";

export interface Change {
  readonly changes: MappingChanges;
  /** The settings that follow; throws when they break a rule. */
  readonly apply: (before: MappingSettings) => MappingSettings;
  readonly etag?: string | undefined;
}

export interface ChangedMapping {
  /** With its filter in the clear, when it could be opened. */
  readonly before: StoredMapping;
  /** As stored; equal to what was there when nothing changed. */
  readonly after: StoredMapping;
  /** The settings that changed, by name; empty = an equal update, nothing was stored. */
  readonly changed: readonly string[];
}

/**
 * Changes settings of a mapping: one revision for each change, none for an equal one.
 *
 * @throws PenstockError `notFound`; `aborted` for another etag; `inUse` in transition and while it is being deleted; `conflict`,
 * `invalidArgument` as at create.
 */
export async function changeMapping(
  sql: Sql,
  context: StoreContext,
  id: string,
  { changes, apply, etag }: Change,
): Promise<ChangedMapping> {
  const locked = await lockMapping(sql, id);
  const stored = locked.mapping;
  assertEtag(stored, etag);
  if (stored.state === "Deleting") throw inUse(stored);
  const opened = openFilter(context.filters, stored);
  const before = opened.mapping;
  const settings = apply(before);
  const filter = nextFilter(context, stored.id, opened, changes, settings);
  const changed = new Set<string>(changedSettings(before, settings));
  if (filter.isNew) changed.add("filterPatterns");
  if (changed.size === 0) return { before, after: stored, changed: [] };
  assertSettled(locked);
  await moveToFunction(sql, context, before, settings);
  const after = await updateRow(sql, context, stored, settings, filter.columns);
  return { before, after, changed: [...changed] };
}

function assertSettled({ mapping, isInTransition }: LockedMapping): void {
  if (isInTransition) throw inUse(mapping);
}

/** AWS's sentence, and what to do. */
function inUse({ state }: StoredMapping): PenstockError {
  const advice =
    state === "Deleting"
      ? "It is being deleted."
      : `Its state is ${state}: try again when that has ended, which takes at most 30 seconds.`;
  return new PenstockError(
    "inUse",
    `Cannot update the event source mapping because it is in use. ${advice}`,
  );
}

/** Filter criteria that can't be opened stay as they are until new ones come. */
function nextFilter(
  { filters }: StoreContext,
  id: string,
  { mapping, filterError }: OpenedMapping,
  changes: MappingChanges,
  settings: MappingSettings,
): { readonly columns: FilterColumns; readonly isNew: boolean } {
  if (filterError === null || changes.filterPatterns !== undefined) {
    return { columns: filterColumns(filters, id, settings), isNew: filterError !== null };
  }
  if (settings.kmsKeyArn !== mapping.kmsKeyArn) {
    throw invalidField(
      "kms_key_arn",
      "kms_key_arn can't be changed: the filter criteria can't be decrypted with the present key. Send filter_criteria too.",
    );
  }
  return { columns: { filter_patterns: null, filter_sealed: mapping.filterSealed }, isNew: false };
}

async function moveToFunction(
  sql: Sql,
  { scope }: StoreContext,
  before: StoredMapping,
  after: MappingSettings,
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

async function updateRow(
  sql: Sql,
  context: StoreContext,
  before: StoredMapping,
  settings: MappingSettings,
  filter: FilterColumns,
): Promise<StoredMapping> {
  const state = stateAfterUpdate(before.state, before, settings);
  const columns = { ...mutableColumns(context, settings), ...filter };
  const rows = await sql<MappingRow[]>`
    update mappings
       set ${sql(columns)},
           revision = revision + 1,
           state = ${state},
           state_reason = 'USER_INITIATED',
           -- The new settings have their own time to come into effect; a stop that is under way goes on.
           state_since = case when state = ${state} and state = 'Disabling' then state_since else now() end,
           modified_at = now()
     where id = ${before.id} and revision = ${before.revision}
    returning ${mappingColumns(sql)}`;
  invariant(rows[0], "a locked mapping changed");
  return toStoredMapping(rows[0]);
}
