import { invariant } from "../errors/penstock-error.ts";

/**
 * The commit frontier of one partition.
 *
 * Work settles in any order, but Kafka remembers one number per partition. The frontier is that
 * number: the lowest offset that is not settled.
 *
 *     offset    10 ─ 13     14 ─ 19      20 ─ 22
 *               settled    in flight     settled     passed to 23
 *                          ^ next
 *
 * Always true: `next` never falls, never passes an admitted range that is not settled, and never passes `passed`,
 * the offset below which everything is known (delivered, filtered, or without a record).
 *
 * Pure: no clock, no I/O. One lives per assignment and dies with it, so a late result can't commit under a newer one.
 */
export class CommitFrontier {
  /** Admitted and unsettled, ascending. Few: one for each call in flight. */
  readonly #outstanding: OffsetRange[] = [];
  #passed: bigint;

  constructor(start: bigint) {
    this.#passed = start;
  }

  /** The next offset to commit. */
  get next(): bigint {
    return this.#outstanding[0]?.from ?? this.#passed;
  }

  /** Whether nothing is admitted and unsettled. */
  get isIdle(): boolean {
    return this.#outstanding.length === 0;
  }

  /**
   * Admits `[from, to)` as work in flight. Ranges are admitted in order and never overlap; what lies
   * between two of them was filtered out or has no record.
   */
  admit(from: bigint, to: bigint): OffsetRange {
    invariant(from < to, `an empty range was admitted: ${from} to ${to}`);
    const last = this.#outstanding.at(-1);
    invariant(last === undefined || last.to <= from, `range ${from} overlaps the one before`);
    invariant(from >= this.next, `range ${from} lies below the frontier ${this.next}`);
    const range = { from, to };
    this.#outstanding.push(range);
    if (to > this.#passed) this.#passed = to;
    return range;
  }

  /** Settles an admitted range. */
  settle(range: OffsetRange): void {
    const at = this.#outstanding.indexOf(range);
    invariant(at >= 0, `range ${range.from} was settled twice or never admitted`);
    this.#outstanding.splice(at, 1);
  }

  /** Takes an admitted range back unsettled: it will be admitted again, whole or in pieces. */
  withdraw(range: OffsetRange): void {
    this.settle(range);
    if (range.from < this.#passed) this.#passed = range.from;
  }

  /** Everything below `to` that is not admitted is settled: it was filtered out, or has no record. */
  passTo(to: bigint): void {
    if (to > this.#passed) this.#passed = to;
  }
}

/** Offsets `[from, to)`. Compared by identity. */
export interface OffsetRange {
  readonly from: bigint;
  readonly to: bigint;
}
