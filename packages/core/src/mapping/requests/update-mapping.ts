import { show, Violations } from "../constraints/violations.ts";
import type { MutableSettings, ProvisionedPollers } from "../mapping.ts";
import { MUTABLE_DEFAULTS } from "../mapping-defaults.ts";
import { MASK_PATHS_MAX } from "../mapping-limits.ts";
import { SETTING_ROWS } from "../settings/mutable-settings.ts";
import { NO_POLLERS, readProvisionedPollers } from "../settings/provisioned-pollers.ts";
import type { MappingChanges } from "./mapping-changes.ts";
import type { MappingInput, MappingRules } from "./mapping-input.ts";
import { checkUnchangeable, REFUSALS } from "./unsupported.ts";

type MutableKey = keyof MutableSettings;

const KEYS = Object.keys(SETTING_ROWS) as MutableKey[];

/** Paths that an update mask may name, and the setting behind each. Members of the pollers are named one by one. */
const MUTABLE_PATHS: ReadonlyMap<string, MutableKey> = new Map(
  KEYS.flatMap((key) => SETTING_ROWS[key].paths.map((path): [string, MutableKey] => [path, key])),
);

const POLLERS_PATH = "provisioned_poller_config";
const POLLER_PATHS: ReadonlyMap<string, keyof ProvisionedPollers> = new Map([
  [`${POLLERS_PATH}.minimum_pollers`, "minimumPollers"],
  [`${POLLERS_PATH}.maximum_pollers`, "maximumPollers"],
  [`${POLLERS_PATH}.poller_group_name`, "pollerGroupName"],
]);

/** Paths of what is refused when it is set, and changes nothing when it is not. */
const REFUSED_PATHS: ReadonlySet<string> = new Set(REFUSALS.flatMap(({ paths }) => paths));

/** Fields that only the service sets, or that are about the request: naming them changes nothing. */
const IGNORED_PATHS = [
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
  "filter_criteria_error",
  "etag",
  "not_in_effect",
  "problem",
  "create_time",
  "request_id",
];

const CREATE_ONLY_PATHS = [
  "self_managed_event_source",
  "topics",
  "self_managed_kafka_event_source_config.consumer_group_id",
  "self_managed_kafka_event_source_config.consumption_mode",
  "starting_position",
  "starting_position_timestamp",
  "event_source_arn",
  "tags",
];

/**
 * What an update changes: the settings that it names, with their new values. Rules between settings are checked by `applyChanges`, which knows the
 * stored ones.
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
  const paths = maskPaths === null ? null : readMask(maskPaths, violations);
  for (const refusal of REFUSALS) {
    const isNamed = paths === null || refusal.paths.some((path) => paths.has(path));
    if (isNamed || refusal.paths.length === 0) refusal.check(input, violations);
  }
  if (paths === null || paths.has("self_managed_kafka_event_source_config")) {
    checkUnchangeable(input, violations);
  }
  const changes: Record<string, unknown> = {};
  for (const key of KEYS) {
    const row = SETTING_ROWS[key];
    const isNamed = paths !== null && row.paths.some((path) => paths.has(path));
    if (paths !== null && !isNamed) continue;
    if (row.isSent(input)) {
      const value = readSent(key, input, isNamed, violations, rules);
      if (value !== undefined) changes[key] = value;
    } else if (isNamed) reset(key, changes, violations);
  }
  if (paths !== null && !paths.has(POLLERS_PATH)) {
    const named = [...POLLER_PATHS].filter(([path]) => paths.has(path)).map(([, key]) => key);
    if (named.length > 0) changes[KEY_POLLERS] = readNamedPollers(input, named, violations);
  }
  violations.throwIfAny();
  return changes;
}

const KEY_POLLERS = "provisionedPollers" satisfies MutableKey;

/** Members of the pollers that were not sent keep their values, unless the mask names the whole. */
function readSent(
  key: MutableKey,
  input: MappingInput,
  isNamed: boolean,
  violations: Violations,
  rules: MappingRules,
): unknown {
  if (key !== KEY_POLLERS || isNamed) return SETTING_ROWS[key].read(input, violations, rules);
  return readProvisionedPollers(input.provisionedPollers ?? {}, violations);
}

function readNamedPollers(
  { provisionedPollers = {} }: MappingInput,
  named: readonly (keyof ProvisionedPollers)[],
  violations: Violations,
): Partial<ProvisionedPollers> {
  const pick = (from: object) =>
    Object.fromEntries(Object.entries(from).filter(([key]) => named.some((name) => name === key)));
  return { ...pick(NO_POLLERS), ...readProvisionedPollers(pick(provisionedPollers), violations) };
}

function readMask(sent: readonly string[], violations: Violations): ReadonlySet<string> {
  const paths = new Set<string>();
  if (sent.length > MASK_PATHS_MAX) {
    violations.add("update_mask", `update_mask must have at most ${MASK_PATHS_MAX} paths.`);
    return paths;
  }
  for (const path of sent) {
    if (path === "*") {
      for (const known of [...MUTABLE_PATHS.keys(), ...REFUSED_PATHS]) paths.add(known);
    } else if (MUTABLE_PATHS.has(path) || POLLER_PATHS.has(path) || REFUSED_PATHS.has(path)) {
      paths.add(path);
    } else if (!isBelowOne(path, IGNORED_PATHS)) {
      const problem = isBelowOne(path, CREATE_ONLY_PATHS)
        ? "can only be set when the mapping is created."
        : "is not a field that can be changed.";
      violations.add("update_mask", `update_mask: ${show(path)} ${problem}`);
    }
  }
  return paths;
}

function isBelowOne(path: string, parents: readonly string[]): boolean {
  return parents.some((parent) => path === parent || path.startsWith(`${parent}.`));
}

function reset(key: MutableKey, changes: Record<string, unknown>, violations: Violations): void {
  if (key === "functionRef") {
    violations.add(
      "function_name",
      "function_name has no default: send it, or leave it out of update_mask.",
    );
    return;
  }
  changes[key] = MUTABLE_DEFAULTS[key];
}
