/**
 * In a classic group the member says how long the coordinator waits for its heartbeats; brokers have bounds for it (group.min and
 * group.max.session.timeout.ms, by default 6 s to 30 min; before Kafka 2.6 to 5 min). Where the wanted one is refused others are tried.
 */
export const CLASSIC_SESSION_TIMEOUT_MS = 45_000;

const OTHERS_MS = [30_000, 10_000, 6_000, 60_000, 120_000, 300_000];
/** Kafka's own default and its rule: at most a third of the session. */
const HEARTBEAT_INTERVAL_MS_MAX = 3_000;
const HEARTBEATS_IN_SESSION = 3;
const GRACE_MS_MIN = 5_000;

export class SessionTimeouts {
  readonly #candidates: readonly number[];
  #at = 0;

  constructor(wantedMs: number) {
    this.#candidates = [wantedMs, ...OTHERS_MS.filter((otherMs) => otherMs !== wantedMs)];
  }

  get presentMs(): number {
    return this.#candidates[this.#at] as number;
  }

  /** False: all were tried; it begins anew. */
  tryNext(): boolean {
    this.#at = (this.#at + 1) % this.#candidates.length;
    return this.#at !== 0;
  }
}

export function heartbeatIntervalMs(sessionMs: number): number {
  return Math.min(HEARTBEAT_INTERVAL_MS_MAX, sessionMs / HEARTBEATS_IN_SESSION);
}

/** What a rebalance gets more than the drain: to hear of it, and to join. */
function rebalanceGraceMs(sessionMs: number): number {
  return Math.max(GRACE_MS_MIN, 3 * heartbeatIntervalMs(sessionMs));
}

/** The coordinator removes who hasn't joined by then; it counts from the moment that somebody else asked to join. */
export function rebalanceTimeoutMs(drainLimitMs: number, sessionMs: number): number {
  return Math.ceil(drainLimitMs + rebalanceGraceMs(sessionMs));
}

/**
 * Until when everything must be drained before a join. The rebalance may have begun right after the last heartbeat that knew nothing of it, at `calmAtMs`;
 * half of the grace is for the join.
 */
export function drainDeadlineMs(
  nowMs: number,
  calmAtMs: number,
  drainLimitMs: number,
  sessionMs: number,
): number {
  const sureMs = calmAtMs + drainLimitMs + rebalanceGraceMs(sessionMs) / 2;
  return Math.max(nowMs, Math.min(nowMs + drainLimitMs, sureMs));
}
