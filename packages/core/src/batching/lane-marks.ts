/**
 * How much a lane prefetches: about one batch ahead of the one in flight.
 *
 * Above `high` a lane leaves the fetch, below `low` it comes back. The marks are in bytes of fetched records, because
 * that is what memory is made of; they follow the size of the records that were seen.
 */
export interface LaneMarks {
  readonly highBytes: number;
  readonly lowBytes: number;
}

/** A lane never leaves the fetch below this: smaller marks would make it come and go with each fetch. */
export const LANE_HIGH_MARK_MIN_BYTES = 1024 * 1024;

/**
 * `recordBytes`: mean size of the records seen, 0 when none were. `payloadBytesMax` bounds a batch, whatever its size in records.
 */
export function laneMarks(
  batchSize: number,
  recordBytes: number,
  payloadBytesMax: number,
): LaneMarks {
  const batchBytes = Math.min(batchSize * recordBytes, payloadBytesMax);
  const highBytes = Math.max(LANE_HIGH_MARK_MIN_BYTES, Math.ceil(batchBytes * 2));
  return { highBytes, lowBytes: Math.floor(highBytes / 2) };
}
