/**
 * Messages on their way into one stream: a bounded queue that the stream's sender pulls from. One lives per stream and ends with it;
 * nothing is carried over to the next stream, because what was true then may not be now.
 */
export class SendQueue<T> implements AsyncIterable<T> {
  readonly #lengthMax: number;
  readonly #waiting: T[] = [];
  #hasEnded = false;
  #wake: (() => void) | null = null;

  constructor(lengthMax: number) {
    this.#lengthMax = lengthMax;
  }

  /** False when the queue is full or has ended; the message was not taken then. */
  push(message: T): boolean {
    if (this.#hasEnded || this.#waiting.length >= this.#lengthMax) return false;
    this.#waiting.push(message);
    this.#wake?.();
    return true;
  }

  /** Ends the stream after what waits was sent. */
  end(): void {
    this.#hasEnded = true;
    this.#wake?.();
  }

  async *[Symbol.asyncIterator](): AsyncIterator<T> {
    for (;;) {
      const message = this.#waiting.shift();
      if (message !== undefined) {
        yield message;
      } else if (this.#hasEnded) {
        return;
      } else {
        await new Promise<void>((resolve) => {
          this.#wake = resolve;
        });
        this.#wake = null;
      }
    }
  }
}
