/** Lets a bounded number of tasks run at once; the others wait in line. Whoever waits is bounded by the caller. */
export class Turns {
  readonly #atOnceMax: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(atOnceMax: number) {
    this.#atOnceMax = atOnceMax;
  }

  async run<T>(task: () => Promise<T>): Promise<T> {
    if (this.#running >= this.#atOnceMax) {
      await new Promise<void>((resolve) => this.#waiting.push(resolve));
    } else {
      this.#running++;
    }
    try {
      return await task();
    } finally {
      const next = this.#waiting.shift();
      // The turn goes from hand to hand: `running` stays.
      if (next === undefined) this.#running--;
      else next();
    }
  }
}
