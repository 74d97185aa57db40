import { readTimestampMs, type SecondsAndNanos } from "./field-values.ts";
import { checkBootstrapServers, checkConsumerGroupId, checkTopics } from "./kafka-names.ts";
import type { MappingSettings, MutableSettings, StartingPosition } from "./mapping.ts";
import { STARTING_POSITIONS } from "./mapping.ts";
import { BATCH_SIZE_DEFAULT } from "./mapping-limits.ts";
import { MUTABLE_READERS, type MutableInput, type PatternCheck } from "./read-mutable-settings.ts";
import { Violations } from "./violations.ts";

/** A mapping to create, as a caller may send it; absent = not sent. */
export interface CreateMappingInput extends MutableInput {
  readonly bootstrapServers: readonly string[];
  readonly topics: readonly string[];
  readonly consumerGroupId?: string;
  /** `null` = a value that the API does not know. */
  readonly startingPosition?: StartingPosition | null;
  readonly startingPositionTimestamp?: SecondsAndNanos;
}

/** What a field is when it is not sent, or named in an update mask without a value. The function has no default. */
export const MUTABLE_DEFAULTS: Omit<MutableSettings, "functionRef"> = {
  batchSize: BATCH_SIZE_DEFAULT,
  batchingWindowMs: null,
  filterPatterns: [],
  provisionedPollers: null,
  isEnabled: true,
  sourceAccess: [],
  kmsKeyArn: null,
  onFailureDestination: null,
  maximumRetryAttempts: null,
  maximumRecordAgeSeconds: null,
  bisectBatchOnFunctionError: null,
  metrics: [],
  systemLogLevel: null,
};

/**
 * Validates a mapping to create and fills in the defaults.
 *
 * @throws PenstockError `invalidArgument` that names everything that is wrong.
 */
export function readCreateMapping(
  input: CreateMappingInput,
  context: { readonly nowMs: number; readonly check: PatternCheck },
): MappingSettings {
  const violations = new Violations();
  const sent = <K extends keyof typeof MUTABLE_READERS>(key: K) =>
    MUTABLE_READERS[key](input, violations, context.check);
  const functionRef = sent("functionRef");
  if (input.functionName === undefined) {
    violations.add("function_name", "function_name is required.");
  }
  checkBootstrapServers(violations, input.bootstrapServers);
  checkTopics(violations, input.topics);
  if (input.consumerGroupId !== undefined) checkConsumerGroupId(violations, input.consumerGroupId);
  const settings: MappingSettings = {
    ...MUTABLE_DEFAULTS,
    functionRef: functionRef ?? { name: "", qualifier: "" },
    batchSize: sent("batchSize") ?? MUTABLE_DEFAULTS.batchSize,
    batchingWindowMs: sent("batchingWindowMs") ?? MUTABLE_DEFAULTS.batchingWindowMs,
    filterPatterns: sent("filterPatterns") ?? MUTABLE_DEFAULTS.filterPatterns,
    provisionedPollers: sent("provisionedPollers") ?? MUTABLE_DEFAULTS.provisionedPollers,
    isEnabled: sent("isEnabled") ?? MUTABLE_DEFAULTS.isEnabled,
    bootstrapServers: input.bootstrapServers,
    topic: input.topics[0] ?? "",
    consumerGroupId: input.consumerGroupId ?? null,
    ...readStart(input, violations, context.nowMs),
  };
  violations.throwIfAny();
  return settings;
}

function readStart(input: CreateMappingInput, violations: Violations, nowMs: number) {
  const field = "starting_position_timestamp";
  const timestamp = input.startingPositionTimestamp;
  const startingPosition = input.startingPosition ?? "TRIM_HORIZON";
  if (input.startingPosition === null) {
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
