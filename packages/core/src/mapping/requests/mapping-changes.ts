import { Violations } from "../constraints/violations.ts";
import type { MappingSettings, MutableSettings, ProvisionedPollers } from "../mapping.ts";
import { NO_POLLERS } from "../settings/provisioned-pollers.ts";
import type { MappingRules } from "./mapping-input.ts";
import { checkRelations } from "./mapping-relations.ts";

/** What an update changes. Absent = unchanged. */
export interface MappingChanges extends Partial<Omit<MutableSettings, "provisionedPollers">> {
  /** Null leaves provisioned mode; of its members absent = unchanged, null = back to the default. */
  readonly provisionedPollers?: Partial<ProvisionedPollers> | null;
}

/**
 * The settings after a change, with the rules checked that settings keep among each other (the changed ones with the stored ones). What else `before` carries
 * is kept.
 *
 * @throws PenstockError `invalidArgument` that names everything that is wrong.
 */
export function applyChanges<S extends MappingSettings>(
  before: S,
  changes: MappingChanges,
  rules: MappingRules,
): S {
  const { provisionedPollers, ...others } = changes;
  const after: S = {
    ...before,
    ...others,
    ...(provisionedPollers !== undefined && {
      provisionedPollers: mergePollers(before.provisionedPollers, provisionedPollers),
    }),
  };
  const violations = new Violations();
  checkRelations(after, rules, violations);
  violations.throwIfAny();
  return after;
}

/** Clearing members does not enter provisioned mode. */
function mergePollers(
  before: ProvisionedPollers | null,
  changes: Partial<ProvisionedPollers> | null,
): ProvisionedPollers | null {
  if (changes === null) return null;
  const isClearing = Object.values(changes).every((value) => value === null);
  return before === null && isClearing ? null : { ...NO_POLLERS, ...before, ...changes };
}
