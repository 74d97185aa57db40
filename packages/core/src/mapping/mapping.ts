/** The settings of a mapping, and what it is doing: the model behind `EventSourceMapping` of the proto. */

import type { SourceAccess } from "./source-access.ts";

/** States in AWS's words. `mapping-transitions.ts` says which follow from a caller's change. */
export const MAPPING_STATES = [
  "Creating",
  "Enabling",
  "Enabled",
  "Disabling",
  "Disabled",
  "Updating",
  "Deleting",
] as const;
export type MappingState = (typeof MAPPING_STATES)[number];

export const STARTING_POSITIONS = ["LATEST", "AT_TIMESTAMP", "TRIM_HORIZON"] as const;
export type StartingPosition = (typeof STARTING_POSITIONS)[number];

/** AWS's metric groups (MetricsConfig). */
export const MAPPING_METRICS = ["EventCount", "ErrorCount", "KafkaMetrics"] as const;
export type MappingMetric = (typeof MAPPING_METRICS)[number];

export const SYSTEM_LOG_LEVELS = ["DEBUG", "INFO", "WARN"] as const;
export type SystemLogLevel = (typeof SYSTEM_LOG_LEVELS)[number];

/** Provisioned mode; a member that was not sent is null and takes AWS's default. */
export interface ProvisionedPollers {
  readonly minimumPollers: number | null;
  readonly maximumPollers: number | null;
  readonly pollerGroupName: string | null;
}

/** What can be changed after the mapping was created. */
export interface MutableSettings {
  readonly functionRef: FunctionRef;
  readonly batchSize: number;
  /** Whole ms; null = not set, which means {@link BATCHING_WINDOW_DEFAULT_MS} and is not echoed. */
  readonly batchingWindowMs: number | null;
  /** Empty = all records. */
  readonly filterPatterns: readonly string[];
  /** Null = not in provisioned mode: one event poller. */
  readonly provisionedPollers: ProvisionedPollers | null;
  readonly isEnabled: boolean;
  /** Empty = plaintext without authentication. */
  readonly sourceAccess: readonly SourceAccess[];
  /** Encrypts `filterPatterns` at rest; null = not encrypted with a key of the user's. */
  readonly kmsKeyArn: string | null;
  /** `kafka://topic` or an ARN; null = none. Stored, not in effect yet. */
  readonly onFailureDestination: string | null;
  /** -1 = for ever; null = not set, which means -1. Stored, not in effect yet. */
  readonly maximumRetryAttempts: number | null;
  /** -1 = no limit; null = not set, which means -1. Stored, not in effect yet. */
  readonly maximumRecordAgeSeconds: number | null;
  /** Null = not set, which means false. Stored, not in effect yet. */
  readonly bisectBatchOnFunctionError: boolean | null;
  /** Empty = none. */
  readonly metrics: readonly MappingMetric[];
  /** Null = off. */
  readonly systemLogLevel: SystemLogLevel | null;
}

/** What is chosen at create and stays. */
export interface CreateOnlySettings {
  /** As the caller wrote them. */
  readonly bootstrapServers: readonly string[];
  readonly topic: string;
  /** Null = the mapping's UUID. */
  readonly consumerGroupId: string | null;
  readonly startingPosition: StartingPosition;
  /** Ms since the epoch, with AT_TIMESTAMP only. */
  readonly startingPositionTimestampMs: number | null;
}

export type MappingSettings = MutableSettings & CreateOnlySettings;

/** A function as a mapping names it: the local name, and the version or alias that is passed on to it. */
export interface FunctionRef {
  readonly name: string;
  /** Empty = unqualified. */
  readonly qualifier: string;
}
