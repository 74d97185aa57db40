import type { Assignment, PartitionStart } from "../ports/record-source.ts";
import { mayBeSameTopic, topicIdOfCommit } from "./commit-metadata.ts";

/**
 * Where a lane starts: the group's committed offset; else the offset archived in Postgres; else the pinned start; else the beginning.
 *
 * Only numbers that a broker acknowledged for *this* topic id count. A start below the log is a gap (retention was
 * faster); a start above the end stops the lane: somebody truncated the log or moved the offsets, and rewinding is the operator's decision (F13).
 */
export type LaneStart =
  | { readonly do: "start"; readonly offset: bigint; readonly source: StartSource }
  | {
      readonly do: "skip";
      readonly from: bigint;
      readonly to: bigint;
      readonly source: StartSource;
    }
  | { readonly do: "stop"; readonly offset: bigint; readonly logEnd: bigint };

export type StartSource = "committed" | "archived" | "pinned" | "beginning";

export function startingOffset(
  assignment: Pick<Assignment, "topicId">,
  start: PartitionStart,
  archived: bigint | null,
  pinned: bigint | null,
): LaneStart {
  const committed = usableCommit(assignment, start);
  if (committed !== null) return inLog(committed, "committed", start);
  if (archived !== null) return inLog(archived, "archived", start);
  if (pinned !== null) return inLog(pinned, "pinned", start);
  return { do: "start", offset: start.logStart, source: "beginning" };
}

/**
 * The committed offset, unless there is none or it was committed for another topic of the same name. Brokers that have no ids for topics get them
 * with an upgrade: what was committed before stays usable.
 */
export function usableCommit(
  assignment: Pick<Assignment, "topicId">,
  start: PartitionStart,
): bigint | null {
  if (start.committed === null) return null;
  const topicId = topicIdOfCommit(start.committed.metadata);
  return topicId === null || mayBeSameTopic(topicId, assignment.topicId)
    ? start.committed.offset
    : null;
}

/** Whether the committed offset was written by somebody else than Penstock. */
export function isForeignCommit(start: PartitionStart): boolean {
  return start.committed !== null && topicIdOfCommit(start.committed.metadata) === null;
}

/** `now` null: the group has none any more. */
export interface MovedOffset {
  readonly last: bigint;
  readonly now: bigint | null;
}

/** What somebody else did to the group's offset since Penstock committed last (`archived`); null: nothing. */
export function movedOffset(
  assignment: Pick<Assignment, "topicId">,
  start: PartitionStart,
  archived: bigint | null,
): MovedOffset | null {
  if (archived === null) return null;
  const now = usableCommit(assignment, start);
  if (now === null) return { last: archived, now };
  return isForeignCommit(start) && now !== archived ? { last: archived, now } : null;
}

function inLog(offset: bigint, source: StartSource, start: PartitionStart): LaneStart {
  if (offset > start.highWatermark) return { do: "stop", offset, logEnd: start.highWatermark };
  if (offset >= start.logStart) return { do: "start", offset, source };
  // A pinned TRIM_HORIZON that retention overtook before the first read lost nothing that was promised after it.
  return { do: "skip", from: offset, to: start.logStart, source };
}
