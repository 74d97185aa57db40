import { InvariantError, type RecordSourceOptions } from "@penstock/core";
import type { MappingCounters } from "../node/counters.ts";
import type { EventPollerContext } from "./context.ts";
import type { EventPollerSettings } from "./settings.ts";

/**
 * What an event poller reads, from whom and within which limits. Never less protected than the settings say. `mayBeStatic`: no other event
 * poller of this node has the name that it would have in its group.
 */
export function sourceOptions(
  context: EventPollerContext,
  settings: EventPollerSettings,
  counters: MappingCounters,
  mayBeStatic: boolean,
): RecordSourceOptions {
  const { bootstrapServers, sourceAccess, topic, consumerGroupId, mappingId, index } = settings;
  const { staticNodeId } = context;
  const security = context.sourceSecurity?.open(sourceAccess, bootstrapServers);
  if (security === undefined && sourceAccess.length > 0)
    throw new InvariantError("a secured source without its secrets");
  return {
    bootstrapServers,
    ...(security && { security }),
    topic,
    groupId: consumerGroupId,
    ...(mayBeStatic &&
      staticNodeId !== undefined && {
        groupInstanceId: `penstock-${staticNodeId}-${mappingId}-${index}`,
      }),
    drainLimitMs: context.drainLimitMs,
    fetchBytesMax: context.fetchBytesMax,
    fetchPartitionBytesMax: context.fetchPartitionBytesMax,
    inflatedBytesMax: context.inflatedBytesMax,
    countMemory: context.memory.count,
    observeFetch: (durationMs, bytes) => {
      counters.fetchedBytes += bytes;
      context.observe.fetch(durationMs);
    },
  };
}
