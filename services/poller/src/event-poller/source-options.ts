import { InvariantError, type RecordSourceOptions } from "@penstock/core";
import type { MappingCounters } from "../node/counters.ts";
import type { EventPollerContext } from "./context.ts";
import type { EventPollerSettings } from "./settings.ts";

/** What an event poller reads, from whom and within which limits. Never less protected than the settings say. */
export function sourceOptions(
  context: EventPollerContext,
  settings: EventPollerSettings,
  counters: MappingCounters,
): RecordSourceOptions {
  const { bootstrapServers, sourceAccess, topic, consumerGroupId } = settings;
  const security = context.sourceSecurity?.open(sourceAccess, bootstrapServers);
  if (security === undefined && sourceAccess.length > 0)
    throw new InvariantError("a secured source without its secrets");
  return {
    bootstrapServers,
    ...(security && { security }),
    topic,
    groupId: consumerGroupId,
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
