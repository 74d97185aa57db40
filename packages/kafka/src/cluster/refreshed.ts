/**
 * A value that is read from elsewhere, shared by everybody who asks, and read again when it is old or known to be wrong.
 *
 * Concurrent callers share one read. A wrong value is never given out again: while reading fails, callers get the failure. Reads follow each
 * other by at least `paceMs`, however often the value is invalidated.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Clock } from "@penstock/core";

export interface RefreshPolicy {
  readonly ageMsMax: number;
  readonly paceMs: number;
}

export class Refreshed<T> {
  readonly #read: () => Promise<T>;
  readonly #clock: Clock;
  readonly #policy: RefreshPolicy;
  #value: { readonly value: T; readonly readAtMs: number } | null = null;
  #pending: Promise<T> | null = null;
  #invalidations = 0;
  #lastReadAtMs = Number.NEGATIVE_INFINITY;

  constructor(read: () => Promise<T>, clock: Clock, policy: RefreshPolicy) {
    this.#read = read;
    this.#clock = clock;
    this.#policy = policy;
  }

  get(): Promise<T> {
    const known = this.#value;
    if (known && this.#clock.nowMs() - known.readAtMs < this.#policy.ageMsMax)
      return Promise.resolve(known.value);
    this.#pending ??= this.#refresh().finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  invalidate(): void {
    this.#invalidations++;
    this.#value = null;
  }

  async #refresh(): Promise<T> {
    const waitMs = this.#lastReadAtMs + this.#policy.paceMs - this.#clock.nowMs();
    if (waitMs > 0) await delay(waitMs);
    this.#lastReadAtMs = this.#clock.nowMs();
    const before = this.#invalidations;
    const value = await this.#read();
    // A read that began before the last invalidation may have seen the old state: good enough to answer with, not to keep.
    if (before === this.#invalidations) this.#value = { value, readAtMs: this.#clock.nowMs() };
    return value;
  }
}
