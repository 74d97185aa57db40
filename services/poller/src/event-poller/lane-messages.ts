import type { Assignment, FunctionSpec } from "@penstock/core";

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

function nameOf({ topic, partition }: Assignment): string {
  return `${topic}-${partition}`;
}
