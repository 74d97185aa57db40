import { functionArn, type MutableSettings } from "@penstock/core";
import type { StoreContext } from "../store-context.ts";

/** The columns that hold the changeable settings, as insert and update write them; the filter criteria have their own (`filterColumns`). */
export function mutableColumns({ scope }: StoreContext, settings: MutableSettings) {
  const provisioned = settings.provisionedPollers;
  return {
    function_arn: functionArn(scope, settings.functionRef),
    function_name: settings.functionRef.name,
    function_qualifier: settings.functionRef.qualifier,
    batch_size: settings.batchSize,
    batching_window_ms: settings.batchingWindowMs,
    is_provisioned: provisioned !== null,
    minimum_pollers: provisioned?.minimumPollers ?? null,
    maximum_pollers: provisioned?.maximumPollers ?? null,
    poller_group_name: provisioned?.pollerGroupName ?? null,
    source_access: settings.sourceAccess,
    kms_key_arn: settings.kmsKeyArn,
    on_failure_destination: settings.onFailureDestination,
    maximum_retry_attempts: settings.maximumRetryAttempts,
    maximum_record_age_seconds: settings.maximumRecordAgeSeconds,
    bisect_batch_on_function_error: settings.bisectBatchOnFunctionError,
    metrics: settings.metrics,
    system_log_level: settings.systemLogLevel,
    is_enabled: settings.isEnabled,
  };
}
