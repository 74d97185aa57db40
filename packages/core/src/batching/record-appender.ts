import type { RecordBatch } from "../records/record-batch.ts";

/** Where a queue puts the records that it gives away: a payload encoder. */
export interface RecordAppender {
  /**
   * Appends records of `batch` (rows `selection[i]` for i in [from, to), or rows from to to when `selection` is null)
   * as long as the payload stays under its limit, and returns how many it took.
   */
  appendRange(batch: RecordBatch, selection: Int32Array | null, from: number, to: number): number;
}
