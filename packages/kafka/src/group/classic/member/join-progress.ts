/** How far a member is on its way into a generation, when it sets out again, and for how long answers are waited for. */
import type { ClassicFailure } from "../exchange.ts";

type JoinStage = "idle" | "joining" | "reading" | "syncing" | "stable";

const RETRY_BASE_MS = 100;
const TRANSIENT_RETRY_MS_MAX = 2_000;
const REFUSED_RETRY_MS_MAX = 5_000;
/**
 * The coordinator answers when the slowest member has joined, which may be another client's that processes for minutes. Asking again under the same id
 * harms nothing. Of the first join nothing else shows that the broker is there at all, so it is repeated sooner; a sync waits for the leader only.
 */
const ANSWER_LIMIT_MS = { first: 60_000, join: 600_000, sync: 30_000 };
/** When a heartbeat that was sent so long after a join contradicts it, it or its answer is lost. */
const DOUBT_AFTER_MS = 3_000;

/** While an answer is waited for: so that a pause of the process is noticed. */
const LOOK_INTERVAL_MS = 1_000;

export class JoinProgress {
  stage: JoinStage = "idle";
  /** There is a reason to leave a stable generation for the next one. */
  wantsRejoin = false;
  #failures = 0;
  #retryAtMs = Number.NEGATIVE_INFINITY;
  sentAtMs = Number.NEGATIVE_INFINITY;
  /** It was handed to a connection, rather than waiting for one: that may take longer than any doubt. */
  #isSent = false;
  #limitAtMs = Number.POSITIVE_INFINITY;

  /** A join or sync is on its way, or being made. */
  get isAsking(): boolean {
    return this.stage !== "idle" && this.stage !== "stable";
  }

  /** The present generation, if any, is not the one to stay in. */
  get isLeaving(): boolean {
    return this.stage === "idle" || (this.stage === "stable" && this.wantsRejoin);
  }

  begin(nowMs: number, isFirst: boolean): void {
    this.wantsRejoin = false;
    this.enter(nowMs, "joining", isFirst);
  }

  /** A request is to be made. */
  enter(nowMs: number, stage: "joining" | "reading" | "syncing", isFirst = false): void {
    this.stage = stage;
    this.#isSent = false;
    this.sentAtMs = nowMs;
    const of = stage === "joining" ? (isFirst ? "first" : "join") : "sync";
    this.#limitAtMs = nowMs + ANSWER_LIMIT_MS[of];
  }

  /** The request goes out now. */
  sent(nowMs: number): void {
    this.sentAtMs = nowMs;
    this.#isSent = true;
  }

  synced(): void {
    this.stage = "stable";
    this.#failures = 0;
  }

  /** At once. */
  again(): void {
    this.stage = "idle";
    this.#retryAtMs = Number.NEGATIVE_INFINITY;
  }

  failed(nowMs: number, failure: ClassicFailure): void {
    this.stage = "idle";
    this.#failures++;
    const isRefused = failure === "refused" || failure === "sessionRefused";
    const limitMs = isRefused ? REFUSED_RETRY_MS_MAX : TRANSIENT_RETRY_MS_MAX;
    this.#retryAtMs =
      nowMs + Math.min(limitMs, RETRY_BASE_MS * 2 ** Math.min(this.#failures - 1, 10));
  }

  dueMs(nowMs: number): number {
    return Math.max(nowMs, this.#retryAtMs);
  }

  lookAtMs(nowMs: number): number {
    return Math.min(this.#limitAtMs, nowMs + LOOK_INTERVAL_MS);
  }

  isOverdue(nowMs: number): boolean {
    return this.isAsking && this.#limitAtMs <= nowMs;
  }

  /** The answer to a heartbeat says something else than what this was sent for, which had its time before that was asked. */
  isLost(heartbeatSentAtMs: number, contradicted: JoinStage): boolean {
    const isLate = heartbeatSentAtMs - this.sentAtMs >= DOUBT_AFTER_MS;
    return this.stage === contradicted && this.#isSent && isLate;
  }
}
