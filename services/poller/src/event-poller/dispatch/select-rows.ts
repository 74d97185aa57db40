import { compileFilter, type RecordBatch, type RecordFilter } from "@penstock/core";
import type { EventPollerSettings } from "../settings.ts";

/** The compiled filter of a mapping; null when every record is delivered. */
export function filterOf({ filterPatterns }: EventPollerSettings): RecordFilter | null {
  return filterPatterns.length === 0 ? null : compileFilter(filterPatterns);
}

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
