import { type Delivery, isSuccess } from "../history/delivery.ts";
import type { Violation } from "./violation.ts";

/**
 * I-3: within a partition, a record is first attempted only when everything before it is settled, and a batch is a
 * contiguous run of the records that are to be delivered.
 *
 * "Settled" is what the function knows: it has answered with success. `slackMs` allows for clocks of one machine. What a gap report names is
 * settled without it.
 *
 * @param expected offsets to be delivered, ascending, by `topic-partition`
 */
export function orderPerPartition(
  expected: ReadonlyMap<string, readonly number[]>,
  deliveries: readonly Delivery[],
  slackMs = 0,
  gaps: ReadonlyMap<string, ReadonlySet<number>> = new Map(),
): Violation[] {
  const violations: Violation[] = [];
  const byStart = [...deliveries].sort((a, b) => a.startMs - b.startMs);
  for (const [partition, offsets] of expected) {
    const rowOf = new Map(offsets.map((offset, row) => [offset, row]));
    const settledAt = new Array<number>(offsets.length).fill(Number.POSITIVE_INFINITY);
    const gone = gaps.get(partition);
    if (gone)
      for (const [row, offset] of offsets.entries()) if (gone.has(offset)) settledAt[row] = 0;
    let settledRows = 0;
    for (const delivery of byStart) {
      const records = delivery.offsets.get(partition);
      if (records === undefined) continue;
      const first = rowOf.get(records[0] as number);
      const isRun =
        first !== undefined && records.every((offset, i) => offsets[first + i] === offset);
      if (!isRun || first === undefined) {
        violations.push({ promise: "I-3", where: `${partition}: ${records} is no run` });
        continue;
      }
      while ((settledAt[settledRows] ?? Number.POSITIVE_INFINITY) <= delivery.startMs + slackMs) {
        settledRows++;
      }
      if (first > settledRows) {
        violations.push({
          promise: "I-3",
          where: `${partition}: ${records[0]} was attempted before ${offsets[settledRows]} was settled`,
        });
      }
      if (!isSuccess(delivery)) continue;
      for (let row = first; row < first + records.length; row++) {
        settledAt[row] = Math.min(settledAt[row] as number, delivery.endMs);
      }
    }
  }
  return violations;
}
