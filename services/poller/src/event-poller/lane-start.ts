import {
  type Assignment,
  isForeignCommit,
  type LaneStart,
  type MovedOffset,
  movedOffset,
  NO_TOPIC_ID,
  type PartitionStart,
  startingOffset,
  usableCommit,
} from "@penstock/core";
import type { EventPollerContext } from "./context.ts";
import { offsetsMoved } from "./dispatch/lane-messages.ts";
import { type EventPollerSettings, pinKey } from "./settings.ts";

/**
 * Finds where a lane starts, and tells `found`: at once when the group has an offset that Penstock committed for this topic, else
 * after the archive was asked. Offsets that somebody else moved or removed are noted in the mapping's history (F36).
 */
export function findStart(
  context: EventPollerContext,
  settings: EventPollerSettings,
  assignment: Assignment,
  start: PartitionStart,
  found: (decision: LaneStart) => void,
): void {
  const { topicId, partition } = assignment;
  const { pinnedStarts } = settings;
  const pin =
    pinnedStarts.get(pinKey(topicId, partition)) ??
    // Pinned before the brokers had ids for topics.
    pinnedStarts.get(pinKey(NO_TOPIC_ID, partition)) ??
    null;
  if (usableCommit(assignment, start) !== null && !isForeignCommit(start)) {
    found(startingOffset(assignment, start, null, pin));
    return;
  }
  void context.archive(settings.mappingId, topicId, partition).then((archived) => {
    const moved = movedOffset(assignment, start, archived);
    if (moved !== null) note(context, settings, assignment, moved);
    found(startingOffset(assignment, start, archived, pin));
  });
}

function note(
  { reports, log }: EventPollerContext,
  { mappingId, consumerGroupId }: EventPollerSettings,
  assignment: Assignment,
  moved: MovedOffset,
): void {
  const message = offsetsMoved(assignment, moved, consumerGroupId);
  log.warn("the group's offset was moved by somebody else", { mappingId, detail: message });
  reports.happened(mappingId, "offsetsMoved", message);
}
