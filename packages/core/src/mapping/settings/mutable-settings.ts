import { LISTS, RANGES, TEXTS } from "../constraints/aws-model.ts";
import {
  awsConstraint,
  awsList,
  checkEnum,
  checkLength,
  checkRange,
  checkText,
  enumConstraint,
  isOneOf,
  memberConstraints,
} from "../constraints/constraints.ts";
import { readDurationMs, type SecondsAndNanos } from "../constraints/field-values.ts";
import { show, type Violations } from "../constraints/violations.ts";
import {
  MAPPING_METRICS,
  type MappingMetric,
  type MutableSettings,
  SYSTEM_LOG_LEVELS,
} from "../mapping.ts";
import {
  BATCHING_WINDOW_MAX_MS,
  RECORD_AGE_MAX_SECONDS,
  RECORD_AGE_MIN_SECONDS,
} from "../mapping-limits.ts";
import type { MappingInput, MappingRules } from "../requests/mapping-input.ts";
import { readFailureDestination } from "./failure-destination.ts";
import { readFilterPatterns } from "./filter-patterns.ts";
import { readFunctionReference } from "./function-reference.ts";
import { NO_POLLERS, readProvisionedPollers } from "./provisioned-pollers.ts";
import { readSourceAccess } from "./source-access-list.ts";

/** How one setting is read from a request, at create and at update alike, so that the two can't disagree. */
export interface SettingRow<V> {
  /** What an update mask may call it. */
  readonly paths: readonly string[];
  isSent(input: MappingInput): boolean;
  /** The value to store; undefined = not sent, or refused with a violation. */
  read(input: MappingInput, violations: Violations, rules: MappingRules): V | undefined;
}

function row<M extends keyof MappingInput, V>(
  member: M,
  paths: readonly string[],
  read: (
    value: Exclude<MappingInput[M], undefined>,
    violations: Violations,
    rules: MappingRules,
  ) => V | undefined,
): SettingRow<V> {
  return {
    paths,
    isSent: (input) => input[member] !== undefined,
    read(input, violations, rules) {
      const value = input[member];
      if (value === undefined) return undefined;
      return read(value as Exclude<MappingInput[M], undefined>, violations, rules);
    },
  };
}

/** Every setting that can change, by its name in the model. */
export const SETTING_ROWS: {
  readonly [K in keyof MutableSettings]: SettingRow<MutableSettings[K]>;
} = {
  functionRef: row(
    "functionName",
    ["function_name"],
    (text, violations) => readFunctionReference(violations, "function_name", text) ?? undefined,
  ),
  batchSize: row("batchSize", ["batch_size"], (value, violations) =>
    checkRange(violations, RANGES.batchSize, value) ? value : undefined,
  ),
  batchingWindowMs: row("maximumBatchingWindow", ["maximum_batching_window"], readWindow),
  filterPatterns: row(
    "filterPatterns",
    ["filter_criteria", "filter_criteria.filters"],
    (patterns, violations, rules) => readFilterPatterns(patterns, violations, rules.check),
  ),
  provisionedPollers: row(
    "provisionedPollers",
    ["provisioned_poller_config"],
    (sent, violations) => {
      const read = readProvisionedPollers(sent, violations);
      return read ? { ...NO_POLLERS, ...read } : read;
    },
  ),
  isEnabled: row("enabled", ["enabled"], (value) => value),
  sourceAccess: row("sourceAccess", [LISTS.sourceAccess.field], readSourceAccess),
  kmsKeyArn: row("kmsKeyArn", ["kms_key_arn"], readKmsKeyArn),
  onFailureDestination: row(
    "onFailureDestination",
    [
      "destination_config",
      "destination_config.on_failure",
      "destination_config.on_failure.destination",
    ],
    readFailureDestination,
  ),
  maximumRetryAttempts: row(
    "maximumRetryAttempts",
    ["maximum_retry_attempts"],
    (value, violations) =>
      checkRange(violations, RANGES.maximumRetryAttempts, value) ? value : undefined,
  ),
  maximumRecordAgeSeconds: row("maximumRecordAge", ["maximum_record_age"], readRecordAge),
  bisectBatchOnFunctionError: row(
    "bisectBatchOnFunctionError",
    ["bisect_batch_on_function_error"],
    (value) => value,
  ),
  metrics: row("metrics", ["metrics_config", "metrics_config.metrics"], readMetrics),
  systemLogLevel: row(
    "systemLogLevel",
    ["logging_config", "logging_config.system_log_level"],
    (level, violations) => {
      const at = {
        field: "logging_config.system_log_level",
        member: "loggingConfig.systemLogLevel",
      };
      if (level === null) return null;
      return checkEnum(violations, at, SYSTEM_LOG_LEVELS, level) ? level : undefined;
    },
  ),
};

function readWindow(value: SecondsAndNanos, violations: Violations): number | undefined {
  const rule = {
    field: "maximum_batching_window",
    member: "maximumBatchingWindowInSeconds",
    minMs: 0,
    maxMs: BATCHING_WINDOW_MAX_MS,
  };
  return readDurationMs(violations, rule, value) ?? undefined;
}

/** -1 = no limit; below a minute AWS allows nothing else. */
function readRecordAge(value: SecondsAndNanos, violations: Violations): number | undefined {
  const field = "maximum_record_age";
  const member = "maximumRecordAgeInSeconds";
  const rule = { field, member, minMs: -1000, maxMs: RECORD_AGE_MAX_SECONDS * 1000 };
  const ms = readDurationMs(violations, rule, value);
  if (ms === null) return undefined;
  const seconds = ms / 1000;
  const isAllowed = seconds === -1 || seconds >= RECORD_AGE_MIN_SECONDS;
  if (isAllowed && Number.isInteger(seconds)) return seconds;
  violations.add(
    field,
    `${field} must be -1 s (no limit), or ${RECORD_AGE_MIN_SECONDS} s to ${RECORD_AGE_MAX_SECONDS} s in whole seconds, not ${seconds} s.`,
    `The '${member}' parameter must be -1, or from ${RECORD_AGE_MIN_SECONDS} to ${RECORD_AGE_MAX_SECONDS}.`,
  );
  return undefined;
}

/** Null = none. The key must be one that the installation has, or nothing could be read again. */
function readKmsKeyArn(
  arn: string,
  violations: Violations,
  rules: MappingRules,
): string | null | undefined {
  const field = "kms_key_arn";
  if (!checkText(violations, { field, member: "kMSKeyArn" }, TEXTS.kmsKeyArn, arn)) {
    return undefined;
  }
  if (arn === "") return null;
  if (rules.kmsKeyArns.has(arn)) return arn;
  violations.add(
    field,
    `${field} ${show(arn)} is not among the keys that PENSTOCK_KMS_KEYS maps to local ones: add it there, or send another.`,
    `Unsupported 'kMSKeyArn' parameter: the key is not known here.`,
  );
  return undefined;
}

function readMetrics(
  sent: readonly string[],
  violations: Violations,
): readonly MappingMetric[] | undefined {
  const { field, member } = LISTS.metrics;
  if (!checkLength(violations, LISTS.metrics, sent)) return undefined;
  const known = sent.filter((metric) => isOneOf(MAPPING_METRICS, metric));
  if (known.length < sent.length) {
    const unknown = sent.find((metric) => !isOneOf(MAPPING_METRICS, metric)) ?? "";
    const constraint = memberConstraints([enumConstraint(MAPPING_METRICS)]);
    violations.add(
      field,
      `${field} must be of ${MAPPING_METRICS.join(", ")}, not ${show(unknown)}.`,
      awsConstraint(member, awsList(sent), constraint),
    );
    return undefined;
  }
  if (new Set(known).size === known.length) return known;
  violations.add(
    field,
    `${field} must name each metric once.`,
    `Duplicate values in '${member}' parameter.`,
  );
  return undefined;
}
