/**
 * How many calls of one function run at once here, and who waits for a slot, first come first served.
 *
 * The limit is the smaller of the process's own and the share that the fleet leased; a lapsed share counts as 0. A waiter leaves by getting a slot, or by
 * `cancel`. The gate has no timer: who waits watches its own time.
 */
export interface GateLimits {
  /** Most calls at once, share or not. */
  readonly callsMax: number;
  readonly waitingMax: number;
}

/** The part of a function's `max_concurrency` that this process may use. */
export interface ConcurrencyShare {
  readonly callsMax: number;
  /** Monotonic ms at which it lapses. */
  readonly lapsesAtMs: number;
}

export interface GateWaiter {
  /** The slot is yours: `release` it. */
  admitted(): void;
}

export type Admission = "admitted" | "waiting" | "full";

export class CallGate {
  readonly #limits: GateLimits;
  /** Insertion order is the order of arrival; cancelling is cheap. */
  readonly #waiting = new Set<GateWaiter>();
  #inFlight = 0;
  /** Null: the function has no limit over the fleet. */
  #share: ConcurrencyShare | null = null;

  constructor(limits: GateLimits) {
    this.#limits = limits;
  }

  get inFlight(): number {
    return this.#inFlight;
  }

  get waiting(): number {
    return this.#waiting.size;
  }

  limit(nowMs: number): number {
    if (this.#share === null) return this.#limits.callsMax;
    if (nowMs >= this.#share.lapsesAtMs) return 0;
    return Math.min(this.#share.callsMax, this.#limits.callsMax);
  }

  setShare(share: ConcurrencyShare | null, nowMs: number): void {
    this.#share = share;
    this.#admit(nowMs);
  }

  /** Takes a slot, or a place in the queue, or neither. `admitted` is called later only after "waiting". */
  enter(waiter: GateWaiter, nowMs: number): Admission {
    if (this.#waiting.size === 0 && this.#inFlight < this.limit(nowMs)) {
      this.#inFlight++;
      return "admitted";
    }
    if (this.#waiting.size >= this.#limits.waitingMax) return "full";
    this.#waiting.add(waiter);
    return "waiting";
  }

  cancel(waiter: GateWaiter): void {
    this.#waiting.delete(waiter);
  }

  release(nowMs: number): void {
    this.#inFlight--;
    if (this.#waiting.size > 0) this.#admit(nowMs);
  }

  #admit(nowMs: number): void {
    const limit = this.limit(nowMs);
    for (const waiter of this.#waiting) {
      if (this.#inFlight >= limit) return;
      this.#waiting.delete(waiter);
      this.#inFlight++;
      waiter.admitted();
    }
  }
}
