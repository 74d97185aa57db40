import { type Delivery, isSuccess } from "../history/delivery.ts";
import type { Violation } from "./violation.ts";

/**
 * I-1: every record that was acknowledged to its producer was delivered with success, or is named by a gap.
 *
 * @param sent offsets by `topic-partition`
 * @param gaps offsets that a gap report names
 */
export function nothingLost(
  sent: ReadonlyMap<string, readonly number[]>,
  deliveries: readonly Delivery[],
  gaps: ReadonlyMap<string, ReadonlySet<number>> = new Map(),
): Violation[] {
  const settled = new Map<string, Set<number>>();
  for (const delivery of deliveries) {
    if (!isSuccess(delivery)) continue;
    for (const [partition, offsets] of delivery.offsets) {
      let of = settled.get(partition);
      if (of === undefined) {
        of = new Set();
        settled.set(partition, of);
      }
      for (const offset of offsets) of.add(offset);
    }
  }
  const violations: Violation[] = [];
  for (const [partition, offsets] of sent) {
    for (const offset of offsets) {
      if (settled.get(partition)?.has(offset) || gaps.get(partition)?.has(offset)) continue;
      violations.push({ promise: "I-1", where: `${partition} offset ${offset} was lost` });
    }
  }
  return violations;
}
