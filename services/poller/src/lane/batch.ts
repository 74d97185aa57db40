import type { FunctionSpec, LaneQueue, OffsetRange, QueueSlice } from "@penstock/core";
import type { Lane } from "./lane.ts";

/**
 * Records that go to the function in one call, from one lane or from several short ones. Settled part by part: a part whose
 * lane died meanwhile is dropped alone.
 */
export interface Batch {
  /** The same for every attempt. */
  readonly requestId: string;
  readonly parts: readonly BatchPart[];
  readonly recordCount: number;
  /** Null: to be encoded (anew) before the next call. */
  payload: Buffer | null;
  /** What it was encoded for. */
  encodedFor: FunctionSpec;
  /** Charged attempts that failed. */
  failedAttempts: number;
  /** Waits in a row since the last charged attempt. */
  waits: number;
}

/** The share of one lane. */
export interface BatchPart {
  readonly lane: Lane;
  /** The queue that the slices came from: a lane that started over has another one. */
  readonly queue: LaneQueue;
  readonly slices: readonly QueueSlice[];
  /** From the first record to the last, exclusive end. */
  readonly range: OffsetRange;
  readonly recordCount: number;
}
