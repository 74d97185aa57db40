import { awsConstraint } from "../constraints/constraints.ts";
import { Violations } from "../constraints/violations.ts";
import type { MappingSettings, MutableSettings } from "../mapping.ts";
import { MUTABLE_DEFAULTS } from "../mapping-defaults.ts";
import { readCreateTags } from "../mapping-tags.ts";
import { readBootstrapServers, readConsumerGroupId, readTopic } from "../settings/kafka-names.ts";
import { SETTING_ROWS } from "../settings/mutable-settings.ts";
import { readStartingPosition } from "../settings/starting-position.ts";
import type { CreateMappingInput, MappingRules } from "./mapping-input.ts";
import { checkRelations } from "./mapping-relations.ts";
import { checkUnsupportedSource, REFUSALS } from "./unsupported.ts";

export interface MappingToCreate {
  readonly settings: MappingSettings;
  readonly tags: ReadonlyMap<string, string>;
}

/**
 * Validates a mapping to create and fills in the defaults.
 *
 * @throws PenstockError `invalidArgument` that names everything that is wrong.
 */
export function readCreateMapping(input: CreateMappingInput, rules: MappingRules): MappingToCreate {
  const violations = new Violations();
  for (const { check } of REFUSALS) check(input, violations);
  checkUnsupportedSource(input, violations);
  const hasSource = input.bootstrapServers !== undefined || input.eventSourceArn === undefined;
  const settings: MappingSettings = {
    bootstrapServers:
      (hasSource ? readBootstrapServers(violations, input.bootstrapServers) : null) ?? [],
    topic: readTopic(violations, input.topics, rules.isStrict) ?? "",
    consumerGroupId:
      input.kafkaConfig?.consumerGroupId === undefined
        ? null
        : readConsumerGroupId(violations, input.kafkaConfig.consumerGroupId),
    ...readStartingPosition(input, violations, rules.nowMs),
    ...readMutable(input, violations, rules),
  };
  if (rules.isStrict && input.sourceAccess === undefined) {
    violations.add(
      "source_access_configurations",
      "source_access_configurations is required in strict mode (PENSTOCK_AWS_STRICT).",
      "Required 'sourceAccessConfigurations' parameter is missing.",
    );
  }
  const tags = readCreateTags(input.tags, violations);
  checkRelations(settings, rules, violations);
  violations.throwIfAny();
  return { settings, tags };
}

function readMutable(
  input: CreateMappingInput,
  violations: Violations,
  rules: MappingRules,
): MutableSettings {
  if (input.functionName === undefined) {
    const aws = awsConstraint("functionName", null, "Member must not be null");
    violations.add("function_name", "function_name is required.", aws);
  }
  const read = <K extends keyof MutableSettings>(key: K) =>
    SETTING_ROWS[key].read(input, violations, rules);
  const settings: Record<string, unknown> = { functionRef: read("functionRef") ?? NO_FUNCTION };
  for (const key of Object.keys(MUTABLE_DEFAULTS) as (keyof typeof MUTABLE_DEFAULTS)[]) {
    settings[key] = read(key) ?? MUTABLE_DEFAULTS[key];
  }
  return settings as unknown as MutableSettings;
}

/** Stands for a reference that was refused. */
const NO_FUNCTION = { name: "", qualifier: "" };
