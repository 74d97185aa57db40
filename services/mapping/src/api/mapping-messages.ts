import { create } from "@bufbuild/protobuf";
import { durationFromMs, timestampFromDate, timestampFromMs } from "@bufbuild/protobuf/wkt";
import {
  type ArnScope,
  functionArn,
  type MappingState,
  MINIMUM_POLLERS_DEFAULT,
  mappingArn,
  type StartingPosition,
} from "@penstock/core";
import { mapping } from "@penstock/proto";
import type { MappingView } from "../store/mapping-views.ts";
import type { GapRow, PartitionRow } from "../store/read-progress.ts";

const STATES: Record<MappingState, mapping.MappingState> = {
  Creating: mapping.MappingState.CREATING,
  Enabling: mapping.MappingState.ENABLING,
  Enabled: mapping.MappingState.ENABLED,
  Disabling: mapping.MappingState.DISABLING,
  Disabled: mapping.MappingState.DISABLED,
  Updating: mapping.MappingState.UPDATING,
  Deleting: mapping.MappingState.DELETING,
};

const POSITIONS: Record<StartingPosition, mapping.StartingPosition> = {
  TRIM_HORIZON: mapping.StartingPosition.TRIM_HORIZON,
  LATEST: mapping.StartingPosition.LATEST,
  AT_TIMESTAMP: mapping.StartingPosition.AT_TIMESTAMP,
};

/** A mapping for an answer. What was never set is absent, as on AWS: window, filters, pollers. */
export function mappingMessage(view: MappingView, scope: ArnScope): mapping.EventSourceMapping {
  const { mapping: stored } = view;
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
    batchSize: stored.batchSize,
    ...(stored.batchingWindowMs !== null && {
      maximumBatchingWindow: durationFromMs(stored.batchingWindowMs),
    }),
    startingPosition: POSITIONS[stored.startingPosition],
    ...(timestampMs !== null && { startingPositionTimestamp: timestampFromMs(timestampMs) }),
    ...(stored.filterPatterns.length > 0 && {
      filterCriteria: { filters: stored.filterPatterns.map((pattern) => ({ pattern })) },
    }),
    ...(stored.provisionedPollers !== null && {
      provisionedPollerConfig: {
        minimumPollers: stored.provisionedPollers.minimumPollers ?? MINIMUM_POLLERS_DEFAULT,
      },
    }),
    state: STATES[stored.state],
    stateTransitionReason: stored.stateReason,
    lastProcessingResult: stored.lastProcessingResult,
    lastModified: timestampFromMs(stored.modifiedAtMs),
    revision: stored.revision,
    partitions: view.partitions.map(partitionMessage),
    gaps: view.gaps.map(gapMessage),
    waitingForNodes: [...view.waitingForNodes],
  });
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
