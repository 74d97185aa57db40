/** The settings of a mapping, and what it is doing: the model behind `EventSourceMapping` of the proto. */

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

/** What can be changed after the mapping was created. */
export interface MutableSettings {
  readonly functionRef: FunctionRef;
  readonly batchSize: number;
  /** Whole ms; null = not set, which means {@link BATCHING_WINDOW_DEFAULT_MS} and is not echoed. */
  readonly batchingWindowMs: number | null;
  /** Empty = all records. */
  readonly filterPatterns: readonly string[];
  /** Null = not set: one event poller. */
  readonly minimumPollers: number | null;
  readonly isEnabled: boolean;
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
