import type { MappingSettings, MappingState } from "@penstock/core";

/** A mapping as it lies in Postgres. */
export interface StoredMapping extends MappingSettings {
  readonly id: string;
  /** Order of creation. */
  readonly sequence: bigint;
  /** Counts the changes of settings, from 1. */
  readonly revision: bigint;
  readonly consumerGroupId: string;
  readonly state: MappingState;
  readonly stateReason: string;
  readonly lastProcessingResult: string;
  readonly modifiedAtMs: number;
  /** The filter patterns under `kmsKeyArn`, when there are any: `filterPatterns` is empty unless they were opened (`openFilter`). */
  readonly filterSealed: Uint8Array | null;
  readonly createdAtMs: number;
  /** What keeps it from running; null when nothing does. */
  readonly problem: StoredProblem | null;
}

export interface StoredProblem {
  /** Of the error table. */
  readonly code: string;
  readonly message: string;
  readonly sinceMs: number;
}

/** Columns of `mappings` that make a {@link StoredMapping}. */
export interface MappingRow {
  id: string;
  sequence: bigint;
  revision: bigint;
  function_name: string;
  function_qualifier: string;
  bootstrap_servers: string[];
  topic: string;
  consumer_group_id: string;
  batch_size: number;
  batching_window_ms: number | null;
  starting_position: StoredMapping["startingPosition"];
  starting_position_timestamp: Date | null;
  filter_patterns: string[] | null;
  is_provisioned: boolean;
  minimum_pollers: number | null;
  maximum_pollers: number | null;
  poller_group_name: string | null;
  source_access: StoredMapping["sourceAccess"];
  kms_key_arn: string | null;
  filter_sealed: Buffer | null;
  on_failure_destination: string | null;
  maximum_retry_attempts: number | null;
  maximum_record_age_seconds: number | null;
  bisect_batch_on_function_error: boolean | null;
  metrics: StoredMapping["metrics"];
  system_log_level: StoredMapping["systemLogLevel"];
  problem_code: string | null;
  problem_message: string | null;
  problem_since: Date | null;
  created_at: Date;
  is_enabled: boolean;
  state: MappingState;
  state_reason: string;
  last_processing_result: string;
  modified_at: Date;
}

export function toStoredMapping(row: MappingRow): StoredMapping {
  return {
    id: row.id,
    sequence: row.sequence,
    revision: row.revision,
    functionRef: { name: row.function_name, qualifier: row.function_qualifier },
    bootstrapServers: row.bootstrap_servers,
    topic: row.topic,
    consumerGroupId: row.consumer_group_id,
    batchSize: row.batch_size,
    batchingWindowMs: row.batching_window_ms,
    startingPosition: row.starting_position,
    startingPositionTimestampMs: row.starting_position_timestamp?.getTime() ?? null,
    filterPatterns: row.filter_patterns ?? [],
    provisionedPollers: row.is_provisioned
      ? {
          minimumPollers: row.minimum_pollers,
          maximumPollers: row.maximum_pollers,
          pollerGroupName: row.poller_group_name,
        }
      : null,
    sourceAccess: row.source_access,
    kmsKeyArn: row.kms_key_arn,
    filterSealed: row.filter_sealed,
    onFailureDestination: row.on_failure_destination,
    maximumRetryAttempts: row.maximum_retry_attempts,
    maximumRecordAgeSeconds: row.maximum_record_age_seconds,
    bisectBatchOnFunctionError: row.bisect_batch_on_function_error,
    metrics: row.metrics,
    systemLogLevel: row.system_log_level,
    problem:
      row.problem_code === null || row.problem_message === null || row.problem_since === null
        ? null
        : {
            code: row.problem_code,
            message: row.problem_message,
            sinceMs: row.problem_since.getTime(),
          },
    createdAtMs: row.created_at.getTime(),
    isEnabled: row.is_enabled,
    state: row.state,
    stateReason: row.state_reason,
    lastProcessingResult: row.last_processing_result,
    modifiedAtMs: row.modified_at.getTime(),
  };
}
