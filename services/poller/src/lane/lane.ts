import {
  type Assignment,
  CommitFrontier,
  LaneQueue,
  type PartitionStart,
  type RecordBatch,
} from "@penstock/core";
import type { Batch } from "./batch.ts";

/**
 * The ordered path of one assigned partition.
 *
 *     starting ─▶ idle ─▶ calling ─▶ idle
 *                  ▲         │
 *                  └─ waiting ◀┘ (retry, or an uncharged delay)          any ─▶ stopped (an operator must act)
 *                                                                        any ─▶ dead (released or lost)
 *
 * Always true: at most one batch is in flight; a lane that is not idle forms no batch; a dead lane settles and commits nothing. Being
 * given up (`drainUntilMs`) lies across these phases: a draining lane ends its call and starts none.
 *
 * Holds state only. Who moves it: `EventPoller` (partitions), `Dispatcher` (calls), `Committer` (commits).
 */
export class Lane {
  readonly assignment: Assignment;
  phase: LanePhase = { is: "starting" };
  phaseSinceWallMs: number;
  queue = new LaneQueue(0n);
  frontier = new CommitFrontier(0n);
  /** When its oldest waiting record began to wait, monotonic ms; null while nothing waits or a call is under way. */
  waitingSinceMs: number | null = null;
  /** Monotonic ms at which it must be given up; null while it is ours. */
  drainUntilMs: number | null = null;
  isPaused = false;
  /** Waits in a row without a charged attempt, of batches that were dissolved. */
  waits = 0;
  /** The last failure, empty after a success. */
  lastError = "";
  /** The last offset that Kafka acknowledged; -1 = none. */
  committed = -1n;
  logStart: bigint;
  logEnd: bigint;
  highWatermark: bigint;
  /** Timestamp of the newest record that was settled by a call, ms; -1 = none. For lag in seconds. */
  settledTimestampMs = -1;
  /** Mean size of the records seen, bytes. */
  recordBytes = 0;
  readonly counters: LaneCounters = newLaneCounters();
  /** Set by changes that the progress report must carry. */
  hasChanged = true;

  constructor(assignment: Assignment, start: PartitionStart, wallMs: number) {
    this.assignment = assignment;
    this.logStart = start.logStart;
    this.logEnd = start.logEnd;
    this.highWatermark = start.highWatermark;
    this.phaseSinceWallMs = wallMs;
  }

  get isDead(): boolean {
    return this.phase.is === "dead";
  }

  /** Whether it may form a batch now. */
  get isIdle(): boolean {
    return this.phase.is === "idle" && this.drainUntilMs === null;
  }

  /** Starts, or starts over, at an offset: what is queued is dropped, what is in flight goes on. */
  restartAt(offset: bigint): void {
    this.queue.clear();
    this.queue = new LaneQueue(offset);
    this.waitingSinceMs = null;
    this.hasChanged = true;
  }

  push(batch: RecordBatch, selection: Int32Array | null): void {
    this.queue.push(batch, selection);
    if (batch.count > 0) {
      const mean = batch.bytes / batch.count;
      this.recordBytes = this.recordBytes === 0 ? mean : this.recordBytes * 0.9 + mean * 0.1;
    }
    this.hasChanged = true;
  }

  /** Everything before the queue's head that is not in flight is settled. */
  pass(): void {
    this.frontier.passTo(this.queue.headOffset);
  }

  enter(phase: LanePhase, wallMs: number): void {
    this.phase = phase;
    this.phaseSinceWallMs = wallMs;
  }
}

export type LanePhase =
  | { readonly is: "starting" }
  | { readonly is: "idle" }
  | { readonly is: "calling"; readonly batch: Batch }
  /** `batch` null: its records went back to the queue. */
  | {
      readonly is: "waiting";
      readonly untilMs: number;
      readonly why: "retry" | "throttled";
      readonly batch: Batch | null;
    }
  | { readonly is: "stopped"; readonly reason: string }
  | { readonly is: "dead" };

/** Records, counted in plain numbers; they add up (I-20): polled = succeeded + filtered + gaps + in memory, but for what is fetched again. */
export interface LaneCounters {
  polled: number;
  filtered: number;
  succeeded: number;
  failed: number;
  gaps: number;
  discarded: number;
}

export function newLaneCounters(): LaneCounters {
  return { polled: 0, filtered: 0, succeeded: 0, failed: 0, gaps: 0, discarded: 0 };
}
