/** A wait that ends at a time, or as soon as somebody rings. One waiter; a ring while nobody waits ends the next wait at once. */
export class Alarm {
  readonly #nowMs: () => number;
  #hasRung = false;
  #wake: (() => void) | null = null;

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  ring(): void {
    this.#hasRung = true;
    this.#wake?.();
  }

  /** `atMs` may be infinite: until it rings. */
  async until(atMs: number): Promise<void> {
    const waitMs = atMs - this.#nowMs();
    if (!this.#hasRung && waitMs > 0)
      await new Promise<void>((resolve) => {
        const timer = waitMs < TIMER_MS_MAX ? setTimeout(resolve, waitMs) : null;
        this.#wake = () => {
          if (timer) clearTimeout(timer);
          resolve();
        };
      });
    this.#wake = null;
    this.#hasRung = false;
  }
}

const TIMER_MS_MAX = 0x7fff_ffff;
