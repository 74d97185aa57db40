import type { Clock } from "@penstock/core";

/**
 * Notices that this process stood still (SIGSTOP, a blocked event loop, a frozen machine).
 *
 * What was queued before a pause may have been given up by whoever queued it: it must not be acted on. Every such
 * thing remembers the `epoch` at which it came in and is acted on only if `check()` still answers that number. The check
 * compares the clock with the last beat, so it is right even when the first code to run after the pause is the one that asks.
 */
export class PauseDetector {
  readonly #clock: Clock;
  readonly #pauseMinMs: number;
  readonly #listeners = new Set<(pausedMs: number) => void>();
  readonly #timer: NodeJS.Timeout;
  #lastBeatMs: number;
  #epoch = 1;

  constructor(clock: Clock, pauseMinMs = PAUSE_MIN_MS) {
    this.#clock = clock;
    this.#pauseMinMs = pauseMinMs;
    this.#lastBeatMs = clock.nowMs();
    this.#timer = setInterval(() => this.beat(), Math.max(1, Math.floor(pauseMinMs / 8)));
    this.#timer.unref();
  }

  /** The present epoch; a pause that ends now is noticed first. */
  check(): number {
    const pausedMs = this.#clock.nowMs() - this.#lastBeatMs;
    if (pausedMs > this.#pauseMinMs) this.#paused(pausedMs);
    return this.#epoch;
  }

  /** What the timer does: the process runs. */
  beat(): void {
    this.check();
    this.#lastBeatMs = this.#clock.nowMs();
  }

  /** Called synchronously when a pause is noticed, before the check that noticed it answers. */
  onPause(listener: (pausedMs: number) => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  close(): void {
    clearInterval(this.#timer);
    this.#listeners.clear();
  }

  #paused(pausedMs: number): void {
    this.#epoch++;
    this.#lastBeatMs = this.#clock.nowMs();
    for (const listener of this.#listeners) listener(pausedMs);
  }
}

/** A pause shorter than this is tolerated; callers wait this much longer than a call's deadline before they repeat it. */
export const PAUSE_MIN_MS = 2_000;
