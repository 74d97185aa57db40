import {
  type Assignment,
  type LaneStart,
  type PartitionStart,
  startingOffset,
  usableCommit,
} from "@penstock/core";
import type { EventPollerContext } from "./context.ts";
import { type EventPollerSettings, pinKey } from "./settings.ts";

/**
 * Finds where a lane starts, and tells `found`: at once when the group has an offset for this topic, else after the archive
 * was asked.
 */
export function findStart(
  context: EventPollerContext,
  settings: EventPollerSettings,
  assignment: Assignment,
  start: PartitionStart,
  found: (decision: LaneStart) => void,
): void {
  const { topicId, partition } = assignment;
  const pin = settings.pinnedStarts.get(pinKey(topicId, partition)) ?? null;
  if (usableCommit(assignment, start) !== null) {
    found(startingOffset(assignment, start, null, pin));
    return;
  }
  void context
    .archive(settings.mappingId, topicId, partition)
    .then((archived) => found(startingOffset(assignment, start, archived, pin)));
}
