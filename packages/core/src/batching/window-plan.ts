/**
 * Which short lanes share a call when a window ends.
 *
 * A short lane can't fill a batch alone. Lanes are taken in the order of their waiting, until the batch is full; the lane that fills
 * it may keep records for its next batch. Lanes whose own window has not ended only fill up the last batch: they never cause one.
 */
export interface WaitingLane {
  /** Records that wait. At least 1. */
  readonly recordCount: number;
  /** When the oldest of them began to wait, monotonic ms. */
  readonly waitingSinceMs: number;
}

/** Groups of lanes, one call each. `dueBeforeMs`: lanes that began to wait at or before it are due. */
export function planWindow<L extends WaitingLane>(
  lanes: readonly L[],
  batchSize: number,
  dueBeforeMs: number,
): L[][] {
  const ordered = [...lanes].sort((a, b) => a.waitingSinceMs - b.waitingSinceMs);
  const groups: L[][] = [];
  let group: L[] = [];
  let records = 0;
  for (const lane of ordered) {
    const isDue = lane.waitingSinceMs <= dueBeforeMs;
    if (!isDue && group.length === 0) break;
    group.push(lane);
    records += lane.recordCount;
    if (records >= batchSize) {
      groups.push(group);
      group = [];
      records = 0;
    }
  }
  if (group.length > 0) groups.push(group);
  return groups;
}
