import { type Delivery, isSuccess } from "../history/delivery.ts";
import { type PollerEvent, partitionOf } from "../history/poller-event.ts";
import type { Violation } from "./violation.ts";

/** How many records were delivered with success more than once. */
export function countDuplicates(deliveries: readonly Delivery[]): number {
  const seen = new Map<string, Set<number>>();
  let duplicates = 0;
  for (const delivery of deliveries) {
    if (!isSuccess(delivery)) continue;
    for (const [partition, offsets] of delivery.offsets) {
      let of = seen.get(partition);
      if (of === undefined) {
        of = new Set();
        seen.set(partition, of);
      }
      for (const offset of offsets) {
        if (of.has(offset)) duplicates++;
        else of.add(offset);
      }
    }
  }
  return duplicates;
}

/**
 * I-6: duplicates are at most the records that were dispatched and uncommitted when an assignment ended without a drain (its process
 * was killed, or it lost its membership). Computed from the pollers' histories; with only clean ends the bound is 0.
 *
 * A call whose way to the invoker broke (`connectionLost`) may have reached the function and is repeated: its records are in the bound too.
 */
export function duplicateBound(events: readonly PollerEvent[]): number {
  const lanes = new Map<string, { committed: number; called: Map<number, number> }>();
  const released = new Set<string>();
  let repeated = 0;
  for (const event of events) {
    if (event.event === "called") {
      for (const part of event.parts) {
        const lane = laneOf(lanes, `${event.member}/${partitionOf(part)}/${part.epoch}`);
        lane.called.set(part.to, part.records);
      }
    } else if (event.event === "answered" && event.outcome === "connectionLost") {
      for (const part of event.parts) repeated += part.records;
    } else if (event.event === "committed" && event.result === "committed") {
      const lane = laneOf(lanes, `${event.member}/${partitionOf(event)}/${event.epoch}`);
      lane.committed = Math.max(lane.committed, event.offset);
      for (const to of lane.called.keys()) if (to <= lane.committed) lane.called.delete(to);
    } else if (event.event === "ended" && event.how === "released") {
      released.add(`${event.member}/${partitionOf(event)}/${event.epoch}`);
    }
  }
  let bound = repeated;
  for (const [key, { called }] of lanes) {
    if (released.has(key)) continue;
    for (const records of called.values()) bound += records;
  }
  return bound;
}

export function duplicatesBounded(
  deliveries: readonly Delivery[],
  events: readonly PollerEvent[],
): Violation[] {
  const duplicates = countDuplicates(deliveries);
  const bound = duplicateBound(events);
  if (duplicates <= bound) return [];
  return [{ promise: "I-6", where: `${duplicates} duplicates, at most ${bound} can be explained` }];
}

function laneOf(
  lanes: Map<string, { committed: number; called: Map<number, number> }>,
  key: string,
) {
  let lane = lanes.get(key);
  if (lane === undefined) {
    lane = { committed: -1, called: new Map() };
    lanes.set(key, lane);
  }
  return lane;
}
