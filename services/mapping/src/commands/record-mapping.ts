import { type ArnScope, describeSettings, mappingArn } from "@penstock/core";
import type { Sql } from "@penstock/postgres";
import type { Caller } from "@penstock/runtime";
import { noteMappingChange } from "../store/history/note-mapping-change.ts";
import { writeAudit } from "../store/history/write-audit.ts";
import type { StoredMapping } from "../store/rows/stored-mapping.ts";

/** What a caller did to a mapping. */
export interface MappingDeed {
  readonly caller: Caller;
  readonly method: string;
  /** Of its event. */
  readonly kind: string;
  readonly message: string;
  readonly before: StoredMapping | null;
  readonly after: StoredMapping;
}

/** Writes the event and the audit row of a mutation. */
export async function recordMapping(sql: Sql, scope: ArnScope, deed: MappingDeed): Promise<void> {
  const { caller, before, after } = deed;
  const isSealed = [before, after].some((each) => (each?.kmsKeyArn ?? null) !== null);
  const hasMoved = before?.state !== after.state;
  await noteMappingChange(sql, after.id, deed.kind, deed.message, {
    actor: caller.subject,
    ...(hasMoved && before && { stateBefore: before.state }),
    ...(hasMoved && { stateAfter: after.state }),
  });
  await writeAudit(sql, {
    actor: caller.subject,
    method: deed.method,
    resource: mappingArn(scope, after.id),
    before: before && audited(before, isSealed),
    after: audited(after, isSealed),
  });
}

/** Filter criteria that are, or come to be, under a key are not written beside it in the clear. */
function audited(mapping: StoredMapping, isSealed: boolean): object {
  const { sequence: _, revision, filterSealed: __, problem: ___, ...rest } = mapping;
  const shown = isSealed ? { ...rest, filterPatterns: [] } : rest;
  return { state: rest.state, revision: String(revision), settings: describeSettings(shown) };
}
