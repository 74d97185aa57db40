/** What is said of settings: in what two differ, what of them is not in effect yet, and what an audit may hold. */

import type { MappingSettings, MutableSettings } from "./mapping.ts";
import { MUTABLE_DEFAULTS } from "./mapping-defaults.ts";

const KEYS = ["functionRef", ...Object.keys(MUTABLE_DEFAULTS)] as (keyof MutableSettings)[];

/** The settings in which two differ, by name. */
export function changedSettings(a: MutableSettings, b: MutableSettings): (keyof MutableSettings)[] {
  return KEYS.filter((key) => canonical(a[key]) !== canonical(b[key]));
}

/** Whether two settings say the same: an equal update changes nothing. */
export function areEqualSettings(a: MutableSettings, b: MutableSettings): boolean {
  return changedSettings(a, b).length === 0;
}

/** Text that is equal for equal plain data, in whatever order its keys were set. */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part !== "object" || part === null || Array.isArray(part)) return part;
    return Object.entries(part).sort(([a], [b]) => (a < b ? -1 : 1));
  });
}

/** Settings that are stored and not executed yet, by their paths in the proto's EventSourceMapping. A value that says what is done anyway is in effect. */
const STORED_ONLY: readonly {
  readonly path: string;
  isStoredOnly(settings: MutableSettings): boolean;
}[] = [
  {
    path: "provisioned_poller_config.maximum_pollers",
    isStoredOnly: ({ provisionedPollers }) => (provisionedPollers?.maximumPollers ?? null) !== null,
  },
  {
    path: "provisioned_poller_config.poller_group_name",
    isStoredOnly: ({ provisionedPollers }) =>
      (provisionedPollers?.pollerGroupName ?? null) !== null,
  },
  {
    path: "destination_config",
    isStoredOnly: ({ onFailureDestination }) => onFailureDestination !== null,
  },
  {
    path: "maximum_retry_attempts",
    isStoredOnly: ({ maximumRetryAttempts }) => (maximumRetryAttempts ?? -1) !== -1,
  },
  {
    path: "maximum_record_age",
    isStoredOnly: ({ maximumRecordAgeSeconds }) => (maximumRecordAgeSeconds ?? -1) !== -1,
  },
  {
    path: "bisect_batch_on_function_error",
    isStoredOnly: ({ bisectBatchOnFunctionError }) => bisectBatchOnFunctionError === true,
  },
  { path: "metrics_config", isStoredOnly: ({ metrics }) => metrics.length > 0 },
  { path: "logging_config", isStoredOnly: ({ systemLogLevel }) => systemLogLevel !== null },
];

/** Paths of the settings that are stored and not in effect yet. */
export function settingsNotInEffect(settings: MutableSettings): readonly string[] {
  return STORED_ONLY.filter(({ isStoredOnly }) => isStoredOnly(settings)).map(({ path }) => path);
}

/**
 * Settings as plain data for audits. References to secrets are in it, never what is behind them; filter patterns that are encrypted at rest are only counted.
 */
export function describeSettings(settings: MappingSettings): Readonly<Record<string, unknown>> {
  const { name, qualifier } = settings.functionRef;
  return {
    function: qualifier === "" ? name : `${name}:${qualifier}`,
    bootstrapServers: [...settings.bootstrapServers],
    topic: settings.topic,
    consumerGroupId: settings.consumerGroupId,
    startingPosition: settings.startingPosition,
    startingPositionTimestampMs: settings.startingPositionTimestampMs,
    batchSize: settings.batchSize,
    batchingWindowMs: settings.batchingWindowMs,
    filterPatterns:
      settings.kmsKeyArn === null
        ? [...settings.filterPatterns]
        : `${settings.filterPatterns.length} encrypted`,
    provisionedPollers: settings.provisionedPollers && { ...settings.provisionedPollers },
    isEnabled: settings.isEnabled,
    sourceAccess: settings.sourceAccess.map(({ type, uri }) => ({ type, uri })),
    kmsKeyArn: settings.kmsKeyArn,
    onFailureDestination: settings.onFailureDestination,
    maximumRetryAttempts: settings.maximumRetryAttempts,
    maximumRecordAgeSeconds: settings.maximumRecordAgeSeconds,
    bisectBatchOnFunctionError: settings.bisectBatchOnFunctionError,
    metrics: [...settings.metrics],
    systemLogLevel: settings.systemLogLevel,
  };
}
