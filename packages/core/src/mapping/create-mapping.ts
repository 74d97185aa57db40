import { readTimestampMs } from "./field-values.ts";
import { checkBootstrapServers, checkConsumerGroupId, checkTopics } from "./kafka-names.ts";
import type { MappingSettings, StartingPosition } from "./mapping.ts";
import { STARTING_POSITIONS } from "./mapping.ts";
import { MUTABLE_DEFAULTS } from "./mapping-defaults.ts";
import type { CreateMappingInput, MappingRules } from "./mapping-input.ts";
import { readTags } from "./mapping-tags.ts";
import { MUTABLE_READERS } from "./read-mutable-settings.ts";
import { Violations } from "./violations.ts";

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
  const sent = <K extends keyof typeof MUTABLE_READERS>(key: K) =>
    MUTABLE_READERS[key](input, violations, rules.check);
  const functionRef = sent("functionRef");
  if (input.functionName === undefined) {
    violations.add("function_name", "function_name is required.");
  }
  const groupId = input.kafkaConfig?.consumerGroupId;
  checkBootstrapServers(violations, input.bootstrapServers ?? []);
  checkTopics(violations, input.topics ?? []);
  if (groupId !== undefined) checkConsumerGroupId(violations, groupId);
  const settings: MappingSettings = {
    ...MUTABLE_DEFAULTS,
    functionRef: functionRef ?? { name: "", qualifier: "" },
    batchSize: sent("batchSize") ?? MUTABLE_DEFAULTS.batchSize,
    batchingWindowMs: sent("batchingWindowMs") ?? MUTABLE_DEFAULTS.batchingWindowMs,
    filterPatterns: sent("filterPatterns") ?? MUTABLE_DEFAULTS.filterPatterns,
    provisionedPollers: sent("provisionedPollers") ?? MUTABLE_DEFAULTS.provisionedPollers,
    isEnabled: sent("isEnabled") ?? MUTABLE_DEFAULTS.isEnabled,
    bootstrapServers: input.bootstrapServers ?? [],
    topic: input.topics?.[0] ?? "",
    consumerGroupId: groupId ?? null,
    ...readStart(input, violations, rules.nowMs),
  };
  violations.throwIfAny();
  return { settings, tags: readTags(input.tags) };
}

function readStart(input: CreateMappingInput, violations: Violations, nowMs: number) {
  const field = "starting_position_timestamp";
  const timestamp = input.startingPositionTimestamp;
  const startingPosition = (input.startingPosition ?? "TRIM_HORIZON") as StartingPosition;
  if (!STARTING_POSITIONS.includes(startingPosition)) {
    violations.add(
      "starting_position",
      `starting_position must satisfy enum value set: [${STARTING_POSITIONS.join(", ")}].`,
    );
  } else if (startingPosition === "AT_TIMESTAMP" && timestamp === undefined) {
    violations.add(field, `${field} is required with starting position AT_TIMESTAMP.`);
  } else if (startingPosition !== "AT_TIMESTAMP" && timestamp !== undefined) {
    violations.add(field, `${field} is only allowed with starting position AT_TIMESTAMP.`);
  }
  const startingPositionTimestampMs =
    timestamp === undefined ? null : readTimestampMs(violations, field, timestamp, nowMs);
  return { startingPosition, startingPositionTimestampMs };
}
