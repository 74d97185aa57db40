import { invariant } from "../errors/penstock-error.ts";
import { COLUMN_OFFSET, COLUMNS, type RecordBatch } from "../records/record-batch.ts";
import type { RecordAppender } from "./record-appender.ts";

/**
 * The fetched and not yet delivered records of one lane, in offset order.
 *
 *     push ─▶ [ batch │ batch │ batch ] ─▶ take ─▶ slices (in a call) ─▶ discard
 *                        ^ cursor
 *
 * A batch carries the rows that the filter selected (null = all). `take` moves the cursor and keeps the memory: it is the
 * holder of the slices who ends it, by `discard`. `putBack` returns the newest slices whole.
 */
export class LaneQueue {
  readonly #entries: QueuedBatch[] = [];
  /** Index of the first entry that still has untaken rows; entries before it are gone. */
  #head = 0;
  #row = 0;
  #recordCount = 0;
  #bytes = 0;
  #nextOffset: bigint;

  /** `position`: the first offset that will be pushed. */
  constructor(position: bigint) {
    this.#nextOffset = position;
  }

  /** Untaken records. */
  get recordCount(): number {
    return this.#recordCount;
  }

  /** Bytes of the untaken records: of a batch that is taken in part, its share. */
  get bytes(): number {
    return this.#recordCount === 0 ? 0 : this.#bytes;
  }

  /** The offset after the last one pushed. */
  get nextOffset(): bigint {
    return this.#nextOffset;
  }

  /** The offset of the next untaken record; `nextOffset` when there is none. Everything below was taken or needs no call. */
  get headOffset(): bigint {
    const entry = this.#entries[this.#head];
    return entry === undefined ? this.#nextOffset : offsetAt(entry, this.#row);
  }

  /** Timestamp of the next untaken record, ms; -1 when there is none. */
  get headTimestampMs(): number {
    const entry = this.#entries[this.#head];
    return entry === undefined ? -1 : timestampAt(entry, this.#row);
  }

  /**
   * Appends a batch whose `selection` names the rows to deliver, ascending; null = all. The batch comes with its memory held once, and
   * that hold is the queue's from now on.
   */
  push(batch: RecordBatch, selection: Int32Array | null): void {
    invariant(
      batch.baseOffset >= this.#nextOffset,
      `offset ${batch.baseOffset} came after ${this.#nextOffset}`,
    );
    this.#nextOffset = batch.nextOffset;
    const length = selection === null ? batch.count : selection.length;
    if (length === 0) {
      batch.memory.release();
      return;
    }
    this.#entries.push({ batch, selection, length, rowBytes: batch.bytes / length });
    this.#recordCount += length;
    this.#bytes += batch.bytes;
  }

  /** Nothing comes below `offset` any more: what lies there was settled by a gap report. */
  skip(offset: bigint): void {
    if (offset > this.#nextOffset) this.#nextOffset = offset;
  }

  /**
   * Appends up to `recordsMax` records to `appender` and returns what it took; nothing when the first record does not fit.
   */
  take(appender: RecordAppender, recordsMax: number): QueueSlice[] {
    const slices: QueueSlice[] = [];
    let left = recordsMax;
    while (left > 0) {
      const entry = this.#entries[this.#head];
      if (entry === undefined) break;
      const to = Math.min(entry.length, this.#row + left);
      const taken = appender.appendRange(entry.batch, entry.selection, this.#row, to);
      if (taken > 0) {
        slices.push({ entry, from: this.#row, to: this.#row + taken });
        left -= taken;
        this.#advance(entry, taken);
      }
      if (this.#row !== 0 || taken === 0) break;
    }
    this.#compact();
    return slices;
  }

  /** Takes the next record without delivering it. */
  takeOne(): QueueSlice | null {
    const entry = this.#entries[this.#head];
    if (entry === undefined) return null;
    const slice = { entry, from: this.#row, to: this.#row + 1 };
    this.#advance(entry, 1);
    return slice;
  }

  /** Puts the most recently taken slices back: they are the next to be taken again. */
  putBack(slices: readonly QueueSlice[]): void {
    for (let i = slices.length - 1; i >= 0; i--) {
      const { entry, from, to } = slices[i] as QueueSlice;
      if (this.#entries[this.#head] !== entry) {
        invariant(this.#row === 0 && to === entry.length, "slices were put back out of order");
        if (this.#head === 0) this.#entries.unshift(entry);
        else this.#entries[--this.#head] = entry;
      } else {
        invariant(this.#row === to, "slices were put back out of order");
      }
      this.#row = from;
      this.#recordCount += to - from;
      this.#bytes += (to - from) * entry.rowBytes;
    }
  }

  /** Drops all untaken records and releases their memory. `headOffset` stays: what was dropped was not delivered. */
  clear(): void {
    this.#nextOffset = this.headOffset;
    for (let i = this.#head; i < this.#entries.length; i++) {
      (this.#entries[i] as QueuedBatch).batch.memory.release();
    }
    this.#entries.length = 0;
    this.#head = 0;
    this.#row = 0;
    this.#recordCount = 0;
    this.#bytes = 0;
  }

  #advance(entry: QueuedBatch, rows: number): void {
    this.#recordCount -= rows;
    this.#bytes -= rows * entry.rowBytes;
    this.#row += rows;
    if (this.#row < entry.length) return;
    this.#row = 0;
    this.#entries[this.#head++] = GONE;
  }

  #compact(): void {
    if (this.#head < 64) return;
    this.#entries.splice(0, this.#head);
    this.#head = 0;
  }
}

/** A fetched batch and the rows of it that are to be delivered. */
export interface QueuedBatch {
  readonly batch: RecordBatch;
  readonly selection: Int32Array | null;
  /** Number of rows to deliver. */
  readonly length: number;
  /** Its bytes by row. */
  readonly rowBytes: number;
}

/** Rows `[from, to)` of a queued batch's rows to deliver. */
export interface QueueSlice {
  readonly entry: QueuedBatch;
  readonly from: number;
  readonly to: number;
}

const GONE = undefined as unknown as QueuedBatch;

/** Offset of the `at`-th row to deliver. */
export function offsetAt(entry: QueuedBatch, at: number): bigint {
  const row = entry.selection === null ? at : (entry.selection[at] as number);
  return (
    entry.batch.baseOffset + BigInt(entry.batch.columns[row * COLUMNS + COLUMN_OFFSET] as number)
  );
}

/** Timestamp of the `at`-th row to deliver, ms. */
export function timestampAt(entry: QueuedBatch, at: number): number {
  const row = entry.selection === null ? at : (entry.selection[at] as number);
  return entry.batch.timestamps[row] as number;
}

/** Ends slices that are settled or dropped: memory of batches that were taken to their end is released. */
export function discard(slices: readonly QueueSlice[]): void {
  for (const { entry, to } of slices) if (to === entry.length) entry.batch.memory.release();
}

/** Number of records in slices. */
export function recordsIn(slices: readonly QueueSlice[]): number {
  let count = 0;
  for (const { from, to } of slices) count += to - from;
  return count;
}
