import {
  type Assignment,
  CommitFrontier,
  discard,
  LaneQueue,
  type PartitionStart,
  type RecordBatch,
  timestampAt,
} from "@penstock/core";
import type { Gap } from "../event-poller/context.ts";
import type { PartitionCounters } from "../node/counters.ts";
import type { Batch, BatchPart } from "./batch.ts";

/** Gaps that a lane keeps to commit them; more are reported only. */
const UNSTORED_GAPS_MAX = 1_000;

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
  /** Set when it is to stop as soon as the batch in hand is settled. */
  stopReason: string | null = null;
  /** Waits in a row without a charged attempt, of batches that were dissolved. */
  waits = 0;
  /** The last failure, empty after a success. */
  lastError = "";
  /** The last offset that Kafka acknowledged; -1 = none. */
  committed = -1n;
  logStart: bigint;
  logEnd: bigint;
  highWatermark: bigint;
  /** Mean size of the records seen, bytes. */
  recordBytes = 0;
  readonly counters: PartitionCounters;
  /** Set by changes that the progress report must carry. */
  hasChanged = true;
  /** Oldest first; those that are stored meanwhile leave at the next commit. */
  #unstoredGaps: Gap[] = [];

  constructor(
    assignment: Assignment,
    start: PartitionStart,
    counters: PartitionCounters,
    wallMs: number,
  ) {
    this.assignment = assignment;
    this.counters = counters;
    this.logStart = start.logStart;
    this.logEnd = start.logEnd;
    this.highWatermark = start.highWatermark;
    this.phaseSinceWallMs = wallMs;
  }

  get isDead(): boolean {
    return this.phase.is === "dead";
  }

  get isStopped(): boolean {
    return this.phase.is === "stopped";
  }

  /** Whether it may form a batch now. */
  get isIdle(): boolean {
    return this.phase.is === "idle" && this.drainUntilMs === null;
  }

  /** Starts, or starts over, at an offset: what is queued is dropped, what is in flight goes on. */
  restartAt(offset: bigint): void {
    this.clearQueue();
    this.queue = new LaneQueue(offset);
    this.waitingSinceMs = null;
    this.hasChanged = true;
  }

  /** Puts away what is queued, unsettled. */
  clearQueue(): void {
    this.counters.discarded += this.queue.recordCount;
    this.queue.clear();
  }

  /** Drops queued records below `offset`: a gap report settles them. */
  skipBelow(offset: bigint): void {
    while (this.queue.recordCount > 0 && this.queue.headOffset < offset) {
      const slice = this.queue.takeOne();
      if (slice !== null) discard([slice]);
      this.counters.skipped++;
    }
  }

  /** Records in memory: queued, in a call, or waiting for one. */
  get recordsInMemory(): number {
    return this.queue.recordCount + (this.#partInHand()?.recordCount ?? 0);
  }

  push(batch: RecordBatch, selection: Int32Array | null): void {
    this.queue.push(batch, selection);
    if (batch.count > 0) {
      const mean = batch.bytes / batch.count;
      this.recordBytes = this.recordBytes === 0 ? mean : this.recordBytes * 0.9 + mean * 0.1;
    }
    this.hasChanged = true;
  }

  /** Timestamp of the oldest record that is not settled, ms; -1 when none is in memory. */
  get oldestTimestampMs(): number {
    const first = this.#partInHand()?.slices[0];
    return first === undefined ? this.queue.headTimestampMs : timestampAt(first.entry, first.from);
  }

  /** A gap was found that is not known to be stored. */
  keepUnstored(gap: Gap): void {
    if (this.#unstoredGaps.length < UNSTORED_GAPS_MAX) this.#unstoredGaps.push(gap);
  }

  /** Gaps that a commit of `offset` passes, and that nobody but this process may know. */
  unstoredGapsBelow(offset: bigint): readonly Gap[] {
    if (this.#unstoredGaps.length === 0) return this.#unstoredGaps;
    this.#unstoredGaps = this.#unstoredGaps.filter(({ isStored }) => !isStored);
    return this.#unstoredGaps.filter(({ lastOffset }) => lastOffset < offset);
  }

  /** Everything before the queue's head that is not in flight is settled. */
  pass(): void {
    this.frontier.passTo(this.queue.headOffset);
  }

  enter(phase: LanePhase, wallMs: number): void {
    this.phase = phase;
    this.phaseSinceWallMs = wallMs;
  }

  /** The batch that is in a call or waits for one. */
  get batchInHand(): Batch | null {
    const { phase } = this;
    return phase.is === "calling" || phase.is === "waiting" ? phase.batch : null;
  }

  /** End of the log minus the committed offset, or minus where it started while nothing is committed; never below 0. */
  get lag(): bigint {
    const from = this.committed < 0n ? this.frontier.next : this.committed;
    return this.logEnd > from ? this.logEnd - from : 0n;
  }

  #partInHand(): BatchPart | undefined {
    return this.batchInHand?.parts.find((each) => each.lane === this);
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
