import type { Sql } from "@penstock/postgres";

/** The columns of `MappingRow`, for a select or a returning. */
export function mappingColumns(sql: Sql) {
  return sql`
    id, sequence, revision, function_name, function_qualifier, bootstrap_servers, topic, consumer_group_id,
    batch_size, batching_window_ms, starting_position, starting_position_timestamp, filter_patterns,
    minimum_pollers, is_enabled, state, state_reason, last_processing_result, modified_at`;
}
