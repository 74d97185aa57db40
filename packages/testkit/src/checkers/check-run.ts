import type { Delivery } from "../history/delivery.ts";
import type { PollerEvent } from "../history/poller-event.ts";
import { commitAfterSettle } from "./commit-after-settle.ts";
import { duplicatesBounded } from "./duplicates-bounded.ts";
import { noCommitByNonOwner } from "./no-commit-by-non-owner.ts";
import { nothingLost } from "./nothing-lost.ts";
import { oneCallPerLane } from "./one-call-per-lane.ts";
import { orderPerPartition } from "./order-per-partition.ts";
import { assertNone, type Violation } from "./violation.ts";

/** Everything that one run left behind. */
export interface Run {
  /** Offsets of the records that were acknowledged to the producer and pass the filter, ascending, by `topic-partition`. */
  readonly expected: ReadonlyMap<string, readonly number[]>;
  readonly deliveries: readonly Delivery[];
  readonly events: readonly PollerEvent[];
  /** Offsets that gap reports name. */
  readonly gaps?: ReadonlyMap<string, ReadonlySet<number>>;
}

/** All checks of the data path; throws with every broken promise. */
export function checkRun(run: Run): void {
  assertNone(violationsOf(run));
}

export function violationsOf({ expected, deliveries, events, gaps }: Run): Violation[] {
  return [
    ...nothingLost(expected, deliveries, gaps),
    ...orderPerPartition(expected, deliveries, 0, gaps),
    ...commitAfterSettle(expected, events),
    ...noCommitByNonOwner(events),
    ...oneCallPerLane(events),
    ...duplicatesBounded(deliveries, events),
  ];
}
