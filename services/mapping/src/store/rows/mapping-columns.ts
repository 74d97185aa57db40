import type { Sql } from "@penstock/postgres";

/** The columns of `MappingRow`, for a select or a returning. */
export function mappingColumns(sql: Sql) {
  return sql`
    id, sequence, revision, function_name, function_qualifier, bootstrap_servers, topic, consumer_group_id,
    batch_size, batching_window_ms, starting_position, starting_position_timestamp, filter_patterns,
    is_provisioned, minimum_pollers, maximum_pollers, poller_group_name, source_access, kms_key_arn, filter_sealed,
    on_failure_destination, maximum_retry_attempts, maximum_record_age_seconds, bisect_batch_on_function_error,
    metrics, system_log_level, problem_code, problem_message, problem_since, created_at, is_enabled, state, state_reason, last_processing_result, modified_at`;
}
