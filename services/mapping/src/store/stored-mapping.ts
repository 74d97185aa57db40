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
  minimum_pollers: number | null;
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
    minimumPollers: row.minimum_pollers,
    isEnabled: row.is_enabled,
    state: row.state,
    stateReason: row.state_reason,
    lastProcessingResult: row.last_processing_result,
    modifiedAtMs: row.modified_at.getTime(),
  };
}
