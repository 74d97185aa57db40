/**
 * Records as views: one buffer and a table of positions, never an object per record.
 *
 * A `RecordBatch` covers the offsets `[baseOffset, nextOffset)` of one partition. It holds `count` records at ascending offsets inside
 * that range; offsets in between that have no record were compacted away, or belonged to control or aborted records, and are
 * passed like settled ones. `count` may be 0: the range then only moves the position.
 *
 * The buffer is shared (a fetch response, or an inflated batch) and stays alive as long as one view of it does; `memory` counts that.
 */

/** Columns of `RecordBatch.columns`: one row of `COLUMNS` int32 for each record. */
export const COLUMNS = 7;
/** offset - baseOffset. */
export const COLUMN_OFFSET = 0;
/** Start of the key in `buffer`. */
export const COLUMN_KEY = 1;
/** Length of the key in bytes; -1 = null. */
export const COLUMN_KEY_LENGTH = 2;
/** Start of the value in `buffer`. */
export const COLUMN_VALUE = 3;
/** Length of the value in bytes; -1 = null. */
export const COLUMN_VALUE_LENGTH = 4;
/** Start of the headers in `buffer`: record format v2, a varint count and then key and value with varint lengths. */
export const COLUMN_HEADERS = 5;
/** End of the record in `buffer` (exclusive). */
export const COLUMN_END = 6;

export type TimestampType = "CREATE_TIME" | "LOG_APPEND_TIME" | "NO_TIMESTAMP_TYPE";

export interface RecordBatch {
  /** First offset that this batch covers. */
  readonly baseOffset: bigint;
  /** The offset after the last one that this batch covers. */
  readonly nextOffset: bigint;
  /** Number of records. */
  readonly count: number;
  /** Holds keys, values and headers. */
  readonly buffer: Buffer;
  /** `count` rows of {@link COLUMNS}. */
  readonly columns: Int32Array;
  /** Milliseconds since the epoch, one for each record; -1 = none. */
  readonly timestamps: Float64Array;
  readonly timestampType: TimestampType;
  /** Bytes of `buffer` that belong to this batch: the measure for a lane's marks. */
  readonly bytes: number;
  /** Shared count of the memory behind `buffer`: held once for each batch by who makes it, released once when the batch is settled or discarded. */
  readonly memory: SharedMemory;
}

/**
 * Counts a buffer that several batches share against a budget until the last of them is released.
 */
export class SharedMemory {
  readonly bytes: number;
  readonly #release: (bytes: number) => void;
  #holders = 0;

  constructor(bytes: number, release: (bytes: number) => void) {
    this.bytes = bytes;
    this.#release = release;
  }

  hold(): void {
    this.#holders++;
  }

  release(): void {
    this.#holders--;
    if (this.#holders === 0) this.#release(this.bytes);
  }
}

/** A header of a record: name and value as bytes; value null ≠ empty. */
export interface RecordHeader {
  readonly key: Buffer;
  readonly value: Buffer | null;
}

/** Key of record `row`, or null. A view, not a copy. */
export function recordKey(batch: RecordBatch, row: number): Buffer | null {
  return slice(batch, row * COLUMNS + COLUMN_KEY);
}

/** Value of record `row`, or null. A view, not a copy. */
export function recordValue(batch: RecordBatch, row: number): Buffer | null {
  return slice(batch, row * COLUMNS + COLUMN_VALUE);
}

/** Offset of record `row`. */
export function recordOffset(batch: RecordBatch, row: number): bigint {
  return batch.baseOffset + BigInt(batch.columns[row * COLUMNS + COLUMN_OFFSET] as number);
}

function slice(batch: RecordBatch, at: number): Buffer | null {
  const start = batch.columns[at] as number;
  const length = batch.columns[at + 1] as number;
  return length < 0 ? null : batch.buffer.subarray(start, start + length);
}
