import type { Assignment, CarriedGap, FunctionSpec, GapReason, MovedOffset } from "@penstock/core";

/** What operators read about a lane: why it stopped, and why records were settled without the function. */

export function startAboveEnd(at: Assignment, offset: bigint, end: bigint, group: string): string {
  return (
    `the start offset ${offset} of ${nameOf(at)} is above the end of the log (${end}): reset the offset of ` +
    `group ${group}, then disable and enable the mapping`
  );
}

export function positionAboveEnd(at: Assignment, offset: bigint, end: bigint): string {
  return (
    `offset ${offset} of ${nameOf(at)} is above the end of the log (${end}): the log was truncated; reset the ` +
    "group's offset, then disable and enable the mapping"
  );
}

export function removedBeforeRead(at: Assignment): string {
  return `retention removed records of ${nameOf(at)} before they were read`;
}

export function removedUnderRetry(at: Assignment): string {
  return `retention removed records of ${nameOf(at)} while they were being retried`;
}

export function recordOverLimit({ name, payloadBytesMax }: FunctionSpec): string {
  return `the record's event is over the payload limit of function ${name} (${payloadBytesMax} bytes)`;
}

const CAUSES: Readonly<Record<GapReason, string>> = {
  truncated: "retention removed records before they were read",
  truncatedUnderRetry: "retention removed records while they were being retried",
  recordTooLarge: "the record's event is over the payload limit of the function",
  undecodable: "the records can't be decoded",
};

/** Of a gap that the event poller before has found; its words went with it. */
export function foundByAnother({ reason }: Pick<CarriedGap, "reason">): string {
  return `${CAUSES[reason]} (found by an event poller that ended before its report was stored)`;
}

/** What somebody else did to the group's offset of a partition while it was not held, and what follows. */
export function offsetsMoved(at: Assignment, { last, now }: MovedOffset, group: string): string {
  const where = `offset of ${nameOf(at)} in the consumer group ${group}`;
  if (now === null) {
    return `The ${where} is gone: an operator deleted it, or Kafka forgot it. Reading goes on at ${last}, where it stopped.`;
  }
  const effect =
    now < last ? `${last - now} offsets are read again` : `${now - last} offsets are skipped here`;
  return (
    `The ${where} was set from ${last} to ${now} by somebody else, an operator or another member of the group: ` +
    `reading goes on there, ${effect}.`
  );
}

function nameOf({ topic, partition }: Assignment): string {
  return `${topic}-${partition}`;
}
