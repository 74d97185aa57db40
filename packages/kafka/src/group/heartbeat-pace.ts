/**
 * When the next heartbeat is due.
 *
 * The broker says the interval. It is shorter while something moves: 500 ms for ten seconds after a join and while a partition drains, 250 ms
 * while a change is expected; that makes a hand-over take a second instead of two intervals. After a failure it is a backoff,
 * longer for refusals that only an operator can end.
 */
/** Why a heartbeat brought no answer. */
export type HeartbeatFailure =
  /** The broker doesn't know the member, or fenced its epoch: everything is lost. */
  | "memberUnknown"
  /** No answer, no connection, no coordinator: it may have been processed. */
  | "transient"
  /** Refused until somebody changes something: rights, versions, limits. */
  | "refused";

const FIRST_INTERVAL_MS = 1_000;
const INTERVAL_MS_MIN = 50;
const INTERVAL_MS_MAX = 60_000;
const SETTLING_INTERVAL_MS = 500;
const EXPECTING_INTERVAL_MS = 250;
const SETTLING_AFTER_JOIN_MS = 10_000;
const RETRY_BASE_MS = 100;
const TRANSIENT_RETRY_MS_MAX = 1_000;
const REFUSED_RETRY_MS_MAX = 5_000;

export class HeartbeatPace {
  #intervalMs = FIRST_INTERVAL_MS;
  #sentAtMs = Number.NEGATIVE_INFINITY;
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  #settlingUntilMs = Number.NEGATIVE_INFINITY;
  #expectingUntilMs = Number.NEGATIVE_INFINITY;

  /** The broker's, or a guess before it said one. */
  get intervalMs(): number {
    return this.#intervalMs;
  }

  get sentAtMs(): number {
    return this.#sentAtMs;
  }

  sent(nowMs: number): void {
    this.#sentAtMs = nowMs;
  }

  /** True when the interval is another one than before. */
  answered(intervalMs: number): boolean {
    this.#failures = 0;
    const before = this.#intervalMs;
    this.#intervalMs = Math.min(INTERVAL_MS_MAX, Math.max(INTERVAL_MS_MIN, intervalMs));
    return before !== this.#intervalMs;
  }

  failed(nowMs: number, failure: HeartbeatFailure): void {
    this.#failures++;
    const limitMs = failure === "refused" ? REFUSED_RETRY_MS_MAX : TRANSIENT_RETRY_MS_MAX;
    const waitMs = Math.min(limitMs, RETRY_BASE_MS * 2 ** Math.min(this.#failures - 1, 10));
    this.#retryAtMs = nowMs + waitMs;
  }

  joined(nowMs: number): void {
    this.#settlingUntilMs = nowMs + SETTLING_AFTER_JOIN_MS;
  }

  expectChange(nowMs: number, durationMs: number): void {
    this.#expectingUntilMs = Math.max(this.#expectingUntilMs, nowMs + durationMs);
  }

  /** `isUrgent`: there is something to say. */
  dueMs(nowMs: number, isUrgent: boolean, isDraining: boolean): number {
    if (this.#failures > 0) return this.#retryAtMs;
    if (isUrgent) return nowMs;
    let everyMs = this.#intervalMs;
    if (isDraining || nowMs < this.#settlingUntilMs)
      everyMs = Math.min(everyMs, SETTLING_INTERVAL_MS);
    if (nowMs < this.#expectingUntilMs) everyMs = Math.min(everyMs, EXPECTING_INTERVAL_MS);
    return this.#sentAtMs + everyMs;
  }
}
