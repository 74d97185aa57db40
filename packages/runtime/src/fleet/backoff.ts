/** Delays between attempts: doubling, with full jitter, so that a fleet that lost its service doesn't come back in one wave. */
export class Backoff {
  readonly #minMs: number;
  readonly #maxMs: number;
  readonly #random: () => number;
  #ceilingMs: number;

  /** @param random 0 ≤ value < 1 */
  constructor(minMs: number, maxMs: number, random: () => number = Math.random) {
    this.#minMs = minMs;
    this.#maxMs = maxMs;
    this.#random = random;
    this.#ceilingMs = minMs;
  }

  /** Between the least delay and a ceiling that doubles each time. */
  next(): number {
    const delayMs = this.#minMs + this.#random() * (this.#ceilingMs - this.#minMs);
    this.#ceilingMs = Math.min(this.#ceilingMs * 2, this.#maxMs);
    return delayMs;
  }

  /** After a success that lasted. */
  reset(): void {
    this.#ceilingMs = this.#minMs;
  }
}
