import { type At, type PollerEvent, partitionOf } from "../history/poller-event.ts";
import type { Violation } from "./violation.ts";

/**
 * I-2 and I-7, on the pollers' own histories: within one assignment no offset is sent for commit before every record below it
 * is settled, and accepted offsets never fall.
 *
 * @param expected offsets that are to be delivered, ascending, by `topic-partition`; others (filtered, compacted) need no settlement
 */
export function commitAfterSettle(
  expected: ReadonlyMap<string, readonly number[]>,
  events: readonly PollerEvent[],
): Violation[] {
  const violations: Violation[] = [];
  const lanes = new Map<string, LaneView>();
  for (const event of events) {
    if (!("partition" in event)) continue;
    const key = `${event.member}/${partitionOf(event)}/${event.epoch}`;
    if (event.event === "adopted") {
      const offsets = expected.get(partitionOf(event)) ?? [];
      lanes.set(key, { offsets, row: rowFrom(offsets, event.offset), later: [], accepted: -1 });
      continue;
    }
    const lane = lanes.get(key);
    if (lane === undefined) continue;
    if (event.event === "settled") settle(lane, event.from, event.to);
    else if (event.event === "committing") {
      const unsettled = lane.offsets[lane.row] ?? Number.POSITIVE_INFINITY;
      if (event.offset > unsettled) {
        violations.push({
          promise: "I-2",
          where: `${place(event)}: ${event.offset} was sent for commit while ${unsettled} was unsettled`,
        });
      }
    } else if (event.event === "committed" && event.result === "committed") {
      if (event.offset < lane.accepted) {
        violations.push({
          promise: "I-7",
          where: `${place(event)}: ${event.offset} was committed after ${lane.accepted}`,
        });
      }
      lane.accepted = event.offset;
    }
  }
  return violations;
}

interface LaneView {
  readonly offsets: readonly number[];
  /** Row of the lowest offset that is not settled. */
  row: number;
  /** Settled ranges above it. */
  later: { readonly from: number; readonly to: number }[];
  accepted: number;
}

function settle(lane: LaneView, from: number, to: number): void {
  lane.later.push({ from, to });
  for (;;) {
    const offset = lane.offsets[lane.row];
    if (offset === undefined) return;
    const range = lane.later.find((each) => each.from <= offset && offset < each.to);
    if (range === undefined) return;
    while ((lane.offsets[lane.row] ?? Number.POSITIVE_INFINITY) < range.to) lane.row++;
    lane.later = lane.later.filter((each) => each.to > range.to);
  }
}

/** First row whose offset is at or above `offset`. */
export function rowFrom(offsets: readonly number[], offset: number): number {
  let low = 0;
  let high = offsets.length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if ((offsets[middle] as number) < offset) low = middle + 1;
    else high = middle;
  }
  return low;
}

function place(event: At & { readonly member: string }): string {
  return `${partitionOf(event)} epoch ${event.epoch} member ${event.member}`;
}
