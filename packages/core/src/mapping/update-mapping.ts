import type { MutableSettings } from "./mapping.ts";
import type { MappingChanges } from "./mapping-changes.ts";
import { MUTABLE_DEFAULTS } from "./mapping-defaults.ts";
import type { MappingInput, MappingRules } from "./mapping-input.ts";
import { MUTABLE_READERS } from "./read-mutable-settings.ts";
import { show, Violations } from "./violations.ts";

type MutableKey = keyof typeof MUTABLE_READERS;

/** Paths that an update mask may name, and the setting behind each. */
const MUTABLE_PATHS: ReadonlyMap<string, MutableKey> = new Map<string, MutableKey>([
  ["function_name", "functionRef"],
  ["batch_size", "batchSize"],
  ["maximum_batching_window", "batchingWindowMs"],
  ["filter_criteria", "filterPatterns"],
  ["filter_criteria.filters", "filterPatterns"],
  ["provisioned_poller_config", "provisionedPollers"],
  ["provisioned_poller_config.minimum_pollers", "provisionedPollers"],
  ["enabled", "isEnabled"],
]);

/** Fields that only the service sets: naming them changes nothing. */
const OUTPUT_ONLY_PATHS = new Set([
  "uuid",
  "event_source_mapping_arn",
  "function_arn",
  "state",
  "state_transition_reason",
  "last_processing_result",
  "last_modified",
  "revision",
  "partitions",
  "gaps",
  "waiting_for_nodes",
]);

const CREATE_ONLY_PATHS = [
  "self_managed_event_source",
  "topics",
  "self_managed_kafka_event_source_config",
  "starting_position",
  "starting_position_timestamp",
];

/**
 * What an update changes: the settings that it names, with their new values.
 *
 * @param maskPaths the update mask, null = the fields that were sent. `*` = all changeable fields.
 * @throws PenstockError `invalidArgument` that names everything that is wrong.
 */
export function readUpdateMapping(
  input: MappingInput,
  maskPaths: readonly string[] | null,
  rules: MappingRules,
): MappingChanges {
  const violations = new Violations();
  const keys =
    maskPaths === null
      ? new Set(MUTABLE_PATHS.values())
      : new Set(maskPaths.flatMap((path) => keysOf(path, violations)));
  const changes: { -readonly [K in MutableKey]?: MutableSettings[K] } = {};
  for (const key of keys) {
    const value = MUTABLE_READERS[key](input, violations, rules.check);
    if (value !== undefined) Object.assign(changes, { [key]: value });
    else if (maskPaths !== null && !isSent(key, input)) resetTo(key, changes, violations);
  }
  violations.throwIfAny();
  return changes;
}

function keysOf(path: string, violations: Violations): MutableKey[] {
  if (path === "*") return [...new Set(MUTABLE_PATHS.values())];
  const key = MUTABLE_PATHS.get(path);
  if (key !== undefined) return [key];
  const isBelow = (parent: string) => path === parent || path.startsWith(`${parent}.`);
  if ([...OUTPUT_ONLY_PATHS].some(isBelow)) return [];
  const problem = CREATE_ONLY_PATHS.some(isBelow)
    ? "can only be set when the mapping is created."
    : "is not a field that can be changed.";
  violations.add("update_mask", `update_mask: ${show(path)} ${problem}`);
  return [];
}

/** The function name is the one field whose reader refuses a sent value with `undefined`. */
function isSent(key: MutableKey, input: MappingInput): boolean {
  return key === "functionRef" && input.functionName !== undefined;
}

function resetTo(key: MutableKey, changes: object, violations: Violations): void {
  if (key === "functionRef") {
    violations.add(
      "function_name",
      "function_name has no default: send it, or leave it out of update_mask.",
    );
    return;
  }
  Object.assign(changes, { [key]: MUTABLE_DEFAULTS[key] });
}
