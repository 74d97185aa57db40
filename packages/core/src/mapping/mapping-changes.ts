import type { MappingSettings, MutableSettings, ProvisionedPollers } from "./mapping.ts";
import type { MappingRules } from "./mapping-input.ts";

/** What an update changes. Absent = unchanged. */
export interface MappingChanges extends Partial<Omit<MutableSettings, "provisionedPollers">> {
  /** Null leaves provisioned mode; of its members absent = unchanged, null = back to the default. */
  readonly provisionedPollers?: Partial<ProvisionedPollers> | null;
}

/**
 * The settings after a change, with the rules checked that settings keep among each other (the changed ones with the stored ones).
 *
 * @throws PenstockError `invalidArgument` that names everything that is wrong.
 */
export function applyChanges<S extends MappingSettings>(
  before: S,
  changes: MappingChanges,
  _rules: MappingRules,
): S {
  const { provisionedPollers, ...others } = changes;
  return {
    ...before,
    ...others,
    ...(provisionedPollers !== undefined && {
      provisionedPollers: mergePollers(before.provisionedPollers, provisionedPollers),
    }),
  };
}

function mergePollers(
  before: ProvisionedPollers | null,
  changes: Partial<ProvisionedPollers> | null,
): ProvisionedPollers | null {
  if (changes === null) return null;
  const none = { minimumPollers: null, maximumPollers: null, pollerGroupName: null };
  return { ...none, ...before, ...changes };
}
