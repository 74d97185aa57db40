import { durationMs } from "@bufbuild/protobuf/wkt";
import type { SourceAccess } from "@penstock/core";
import { type fleet, mapping } from "@penstock/proto";
import { type EventPollerSettings, pinKey } from "../event-poller/settings.ts";

/** The window of a mapping that names none (AWS: 500 ms). */
const BATCHING_WINDOW_DEFAULT_MS = 500;

/** An assignment in the words of the event poller. */
export function settingsOf(assignment: fleet.EventPollerAssignment): EventPollerSettings {
  const { maximumBatchingWindow } = assignment;
  return {
    mappingId: assignment.mappingId,
    index: assignment.index,
    revision: assignment.revision,
    bootstrapServers: assignment.bootstrapServers,
    topic: assignment.topic,
    consumerGroupId: assignment.consumerGroupId,
    sourceAccess: assignment.sourceAccessConfigurations.map(accessOf),
    batchSize: assignment.batchSize,
    batchingWindowMs:
      maximumBatchingWindow === undefined
        ? BATCHING_WINDOW_DEFAULT_MS
        : durationMs(maximumBatchingWindow),
    filterPatterns: assignment.filterPatterns,
    functionName: assignment.functionName,
    functionQualifier: assignment.functionQualifier,
    pinnedStarts: new Map(
      assignment.pinnedStarts.map(({ topicId, partition, offset }) => [
        pinKey(topicId, partition),
        offset,
      ]),
    ),
  };
}

/** A type that this version does not know keeps its number, and is refused before anything is connected. */
function accessOf({ type, uri }: mapping.SourceAccessConfiguration): SourceAccess {
  return {
    type: (mapping.SourceAccessTypeSchema.value[type]?.localName ??
      String(type)) as SourceAccess["type"],
    uri,
  };
}
