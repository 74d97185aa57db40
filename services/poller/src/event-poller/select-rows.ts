import type { RecordBatch, RecordFilter } from "@penstock/core";

/** The rows that the filter lets through; null when it lets all of them. */
export function selectRows(
  filter: RecordFilter,
  batch: RecordBatch,
  topic: string,
  partition: number,
): Int32Array | null {
  const rows = new Int32Array(batch.count);
  let count = 0;
  for (let row = 0; row < batch.count; row++) {
    if (filter.matches(batch, row, topic, partition)) rows[count++] = row;
  }
  return count === batch.count ? null : rows.slice(0, count);
}
