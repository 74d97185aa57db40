import type { Clock } from "@penstock/core";
import type { Timers } from "./context.ts";

/** One timer that rings at the earliest moment that was asked for; asking costs nothing when an earlier one is set. */
export class Alarm {
  readonly #clock: Clock;
  readonly #timers: Timers;
  readonly #ring: () => void;
  #atMs = Number.POSITIVE_INFINITY;
  #cancel: (() => void) | null = null;

  constructor(clock: Clock, timers: Timers, ring: () => void) {
    this.#clock = clock;
    this.#timers = timers;
    this.#ring = ring;
  }

  /** Rings at `atMs` (monotonic) or earlier; at once, but never inside this call, when that has passed. */
  at(atMs: number): void {
    if (atMs >= this.#atMs) return;
    this.#cancel?.();
    this.#atMs = atMs;
    this.#cancel = this.#timers.after(Math.max(0, atMs - this.#clock.nowMs()), () => {
      this.#atMs = Number.POSITIVE_INFINITY;
      this.#cancel = null;
      this.#ring();
    });
  }

  stop(): void {
    this.#cancel?.();
    this.#cancel = null;
    this.#atMs = Number.POSITIVE_INFINITY;
  }
}
