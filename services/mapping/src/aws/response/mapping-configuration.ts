/**
 * A mapping as AWS's EventSourceMappingConfiguration: which members appear, and when, is what AWS answers (recorded answers for self-managed Kafka). What
 * was never set is absent; tags and Enabled never appear; times are numbers.
 */
import {
  type ArnScope,
  functionArn,
  MAXIMUM_POLLERS_DEFAULT,
  MINIMUM_POLLERS_DEFAULT,
  mappingArn,
  type ProvisionedPollers,
  wholeSeconds,
} from "@penstock/core";
import type { FilterError } from "../../seal/filter-seal.ts";
import type { StoredMapping } from "../../store/rows/stored-mapping.ts";

const MS_PER_SECOND = 1000;

/** For the answers of create, get, update and delete. */
export function mappingConfiguration(
  stored: StoredMapping,
  scope: ArnScope,
  filterError: FilterError | null = null,
): object {
  return {
    ...commonMembers(stored, scope),
    ...(filterError === null
      ? filterCriteria(stored.filterPatterns)
      : { FilterCriteriaError: { ErrorCode: filterError.code, Message: filterError.message } }),
  };
}

/** For a page of a list, where encrypted filter criteria show as null. */
export function listedConfiguration(stored: StoredMapping, scope: ArnScope): object {
  return {
    ...commonMembers(stored, scope),
    ...(stored.kmsKeyArn === null
      ? filterCriteria(stored.filterPatterns)
      : { FilterCriteria: null }),
  };
}

function commonMembers(stored: StoredMapping, scope: ArnScope): object {
  return {
    UUID: stored.id,
    EventSourceMappingArn: mappingArn(scope, stored.id),
    FunctionArn: functionArn(scope, stored.functionRef),
    State: stored.state,
    StateTransitionReason: stored.stateReason,
    LastProcessingResult: stored.lastProcessingResult,
    LastModified: epochSeconds(stored.modifiedAtMs),
    ...sourceMembers(stored),
    ...batchMembers(stored),
    ...failureMembers(stored),
    ...observationMembers(stored),
  };
}

function sourceMembers(stored: StoredMapping): object {
  const timestampMs = stored.startingPositionTimestampMs;
  return {
    SelfManagedEventSource: {
      Endpoints: { KAFKA_BOOTSTRAP_SERVERS: stored.bootstrapServers },
    },
    Topics: [stored.topic],
    SelfManagedKafkaEventSourceConfig: { ConsumerGroupId: stored.consumerGroupId },
    StartingPosition: stored.startingPosition,
    ...(timestampMs !== null && { StartingPositionTimestamp: epochSeconds(timestampMs) }),
    ...(stored.sourceAccess.length > 0 && {
      SourceAccessConfigurations: stored.sourceAccess.map(({ type, uri }) => ({
        Type: type,
        URI: uri,
      })),
    }),
  };
}

function batchMembers(stored: StoredMapping): object {
  return {
    BatchSize: stored.batchSize,
    ...(stored.batchingWindowMs !== null && {
      // AWS has whole seconds only; a window that was set finer over gRPC is shown as the next longer one.
      MaximumBatchingWindowInSeconds: wholeSeconds(stored.batchingWindowMs),
    }),
    ...(stored.provisionedPollers !== null && {
      ProvisionedPollerConfig: provisionedMembers(stored.provisionedPollers),
    }),
    ...(stored.kmsKeyArn !== null && { KMSKeyArn: stored.kmsKeyArn }),
  };
}

/** What was not sent shows as AWS's default once the mode is on. */
function provisionedMembers(pollers: ProvisionedPollers): object {
  return {
    MinimumPollers: pollers.minimumPollers ?? MINIMUM_POLLERS_DEFAULT,
    MaximumPollers: pollers.maximumPollers ?? MAXIMUM_POLLERS_DEFAULT,
    ...(pollers.pollerGroupName !== null && { PollerGroupName: pollers.pollerGroupName }),
  };
}

function failureMembers(stored: StoredMapping): object {
  const { onFailureDestination, maximumRetryAttempts, maximumRecordAgeSeconds } = stored;
  const isBisecting = stored.bisectBatchOnFunctionError;
  return {
    ...(onFailureDestination !== null && {
      DestinationConfig: { OnFailure: { Destination: onFailureDestination } },
    }),
    ...(maximumRetryAttempts !== null && { MaximumRetryAttempts: maximumRetryAttempts }),
    ...(maximumRecordAgeSeconds !== null && {
      MaximumRecordAgeInSeconds: maximumRecordAgeSeconds,
    }),
    ...(isBisecting !== null && { BisectBatchOnFunctionError: isBisecting }),
  };
}

function observationMembers(stored: StoredMapping): object {
  return {
    ...(stored.metrics.length > 0 && { MetricsConfig: { Metrics: stored.metrics } }),
    ...(stored.systemLogLevel !== null && {
      LoggingConfig: { SystemLogLevel: stored.systemLogLevel },
    }),
  };
}

function filterCriteria(patterns: readonly string[]): object {
  if (patterns.length === 0) return {};
  return { FilterCriteria: { Filters: patterns.map((pattern) => ({ Pattern: pattern })) } };
}

/** SDKs take times as numbers only; the fraction has milliseconds. */
function epochSeconds(ms: number): number {
  return ms / MS_PER_SECOND;
}
