/** When a join is due, and for how long its answer, or that of the sync after it, is waited for. */
import type { HeartbeatFailure } from "../heartbeat-pace.ts";

const RETRY_BASE_MS = 100;
const TRANSIENT_RETRY_MS_MAX = 2_000;
const REFUSED_RETRY_MS_MAX = 5_000;
/**
 * The coordinator answers when the slowest member has joined, which may be another client's that processes for minutes. Asking again under the same id
 * harms nothing. Of the first join nothing else shows that the broker is there at all, so it is repeated sooner; a sync waits for the leader only.
 */
const ANSWER_LIMIT_MS = { first: 60_000, join: 600_000, sync: 30_000 };
/** When heartbeats contradict a join that was sent so long ago, it or its answer is lost. */
const DOUBT_AFTER_MS = 3_000;

export class JoinPace {
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  sentAtMs = Number.NEGATIVE_INFINITY;
  limitAtMs = Number.POSITIVE_INFINITY;

  sent(nowMs: number, what: keyof typeof ANSWER_LIMIT_MS): void {
    this.sentAtMs = nowMs;
    this.limitAtMs = nowMs + ANSWER_LIMIT_MS[what];
  }

  answered(): void {
    this.#failures = 0;
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  /** At once. */
  again(): void {
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  failed(nowMs: number, failure: Exclude<HeartbeatFailure, "memberUnknown">): void {
    this.#failures++;
    const limitMs = failure === "refused" ? REFUSED_RETRY_MS_MAX : TRANSIENT_RETRY_MS_MAX;
    this.#retryAtMs =
      nowMs + Math.min(limitMs, RETRY_BASE_MS * 2 ** Math.min(this.#failures - 1, 10));
  }

  dueMs(nowMs: number): number {
    return Math.max(nowMs, this.#retryAtMs);
  }

  isDoubtful(nowMs: number): boolean {
    return nowMs - this.sentAtMs > DOUBT_AFTER_MS;
  }
}
