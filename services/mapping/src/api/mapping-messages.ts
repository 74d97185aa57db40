import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ArnScope,
  awsCodeOf,
  functionArn,
  MAXIMUM_POLLERS_DEFAULT,
  MINIMUM_POLLERS_DEFAULT,
  mappingArn,
  settingsNotInEffect,
} from "@penstock/core";
import { mapping } from "@penstock/proto";
import { etagOf } from "../store/etag.ts";
import type { MappingView } from "../store/mapping-views.ts";
import type { GapRow, PartitionRow } from "../store/read-progress.ts";
import type { StoredMapping, StoredProblem } from "../store/rows/stored-mapping.ts";
import {
  accessNumber,
  logLevelNumber,
  metricNumber,
  positionNumber,
  stateNumber,
} from "./enum-names.ts";

/** A mapping for an answer. What was never set is absent, as on AWS: window, filters, pollers. */
export function mappingMessage(view: MappingView, scope: ArnScope): mapping.EventSourceMapping {
  const { mapping: stored, filterError } = view;
  const timestampMs = stored.startingPositionTimestampMs;
  return create(mapping.EventSourceMappingSchema, {
    uuid: stored.id,
    eventSourceMappingArn: mappingArn(scope, stored.id),
    functionArn: functionArn(scope, stored.functionRef),
    selfManagedEventSource: {
      endpoints: { kafkaBootstrapServers: [...stored.bootstrapServers] },
    },
    topics: [stored.topic],
    selfManagedKafkaEventSourceConfig: { consumerGroupId: stored.consumerGroupId },
    startingPosition: positionNumber(stored.startingPosition),
    ...(timestampMs !== null && { startingPositionTimestamp: timestampFromMs(timestampMs) }),
    ...deliverySettings(stored),
    ...otherSettings(stored),
    ...(filterError !== null && {
      filterCriteriaError: { errorCode: filterError.code, message: filterError.message },
    }),
    state: stateNumber(stored.state),
    stateTransitionReason: stored.stateReason,
    lastProcessingResult: stored.lastProcessingResult,
    lastModified: timestampFromMs(stored.modifiedAtMs),
    createTime: timestampFromMs(stored.createdAtMs),
    revision: stored.revision,
    etag: etagOf(stored),
    notInEffect: [...settingsNotInEffect(stored)],
    ...(stored.problem && { problem: problemMessage(stored.problem) }),
    partitions: view.partitions.map(partitionMessage),
    gaps: view.gaps.map(gapMessage),
    waitingForNodes: [...view.waitingForNodes],
  });
}

function deliverySettings(stored: StoredMapping) {
  const { batchingWindowMs: windowMs, maximumRecordAgeSeconds: ageSeconds } = stored;
  const { maximumRetryAttempts, bisectBatchOnFunctionError, onFailureDestination } = stored;
  return {
    batchSize: stored.batchSize,
    ...(windowMs !== null && { maximumBatchingWindow: durationFromMs(windowMs) }),
    ...(stored.filterPatterns.length > 0 && {
      filterCriteria: { filters: stored.filterPatterns.map((pattern) => ({ pattern })) },
    }),
    ...(onFailureDestination !== null && {
      destinationConfig: { onFailure: { destination: onFailureDestination } },
    }),
    ...(maximumRetryAttempts !== null && { maximumRetryAttempts }),
    ...(ageSeconds !== null && { maximumRecordAge: durationFromMs(ageSeconds * 1000) }),
    ...(bisectBatchOnFunctionError !== null && { bisectBatchOnFunctionError }),
  };
}

function otherSettings(stored: StoredMapping) {
  const { provisionedPollers: pollers, kmsKeyArn, systemLogLevel: level } = stored;
  return {
    sourceAccessConfigurations: stored.sourceAccess.map(({ type, uri }) => ({
      type: accessNumber(type),
      uri,
    })),
    ...(pollers !== null && {
      provisionedPollerConfig: {
        minimumPollers: pollers.minimumPollers ?? MINIMUM_POLLERS_DEFAULT,
        maximumPollers: pollers.maximumPollers ?? MAXIMUM_POLLERS_DEFAULT,
        ...(pollers.pollerGroupName !== null && { pollerGroupName: pollers.pollerGroupName }),
      },
    }),
    ...(kmsKeyArn !== null && { kmsKeyArn }),
    ...(stored.metrics.length > 0 && {
      metricsConfig: { metrics: stored.metrics.map(metricNumber) },
    }),
    ...(level !== null && { loggingConfig: { systemLogLevel: logLevelNumber(level) } }),
  };
}

function problemMessage({ code, message, sinceMs }: StoredProblem) {
  return { code, message, since: timestampFromMs(sinceMs), awsCode: awsCodeOf(code) ?? "" };
}

function partitionMessage(row: PartitionRow): mapping.PartitionProgress {
  return create(mapping.PartitionProgressSchema, {
    topic: row.topic,
    partition: row.partition,
    position: row.position,
    committedOffset: row.committed_offset,
    logEndOffset: row.log_end_offset,
    lag: row.lag,
    nodeId: row.node_id,
    updateTime: timestampFromDate(row.updated_at),
  });
}

function gapMessage(row: GapRow): mapping.GapReport {
  return create(mapping.GapReportSchema, {
    topic: row.topic,
    partition: row.partition,
    firstOffset: row.first_offset,
    lastOffset: row.last_offset,
    reason: gapReason(row.reason),
    message: row.message,
    time: timestampFromDate(row.found_at),
  });
}

/** The store holds the name of the enum value, such as `TRUNCATED`. */
function gapReason(name: string): mapping.GapReason {
  return (
    (mapping.GapReason as Record<string, mapping.GapReason>)[name] ?? mapping.GapReason.UNSPECIFIED
  );
}
