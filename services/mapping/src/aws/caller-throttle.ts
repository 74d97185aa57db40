/**
 * How many requests a caller may make: a token bucket for each, as AWS's front end has. A bucket holds `burst` tokens and gains `perSecond` of them; a
 * request takes one, and without one it is refused with the time until the next.
 *
 * Pure: the time comes in. At most `callersMax` buckets are kept; the one that was used longest ago is forgotten first, and a caller that comes back to a
 * forgotten bucket finds a full one.
 */
export interface ThrottleLimits {
  /** 0 = no limit. */
  readonly perSecond: number;
  readonly burst: number;
  /** Default 10 000. */
  readonly callersMax?: number;
}

interface Bucket {
  tokens: number;
  filledAtMs: number;
}

const CALLERS_MAX = 10_000;
const MS_PER_SECOND = 1000;

export class CallerThrottle {
  readonly #limits: ThrottleLimits;
  readonly #callersMax: number;
  /** In the order of their last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(limits: ThrottleLimits) {
    this.#limits = limits;
    this.#callersMax = limits.callersMax ?? CALLERS_MAX;
  }

  /** Takes a token: 0 when there was one, else the ms until there is. */
  take(caller: string, nowMs: number): number {
    const { perSecond, burst } = this.#limits;
    if (perSecond === 0) return 0;
    const bucket = this.#buckets.get(caller) ?? { tokens: burst, filledAtMs: nowMs };
    const gained = (Math.max(0, nowMs - bucket.filledAtMs) * perSecond) / MS_PER_SECOND;
    bucket.tokens = Math.min(burst, bucket.tokens + gained);
    bucket.filledAtMs = nowMs;
    this.#keep(caller, bucket);
    if (bucket.tokens < 1) return ((1 - bucket.tokens) * MS_PER_SECOND) / perSecond;
    bucket.tokens -= 1;
    return 0;
  }

  get size(): number {
    return this.#buckets.size;
  }

  #keep(caller: string, bucket: Bucket): void {
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size <= this.#callersMax) return;
    for (const oldest of this.#buckets.keys()) {
      this.#buckets.delete(oldest);
      return;
    }
  }
}
