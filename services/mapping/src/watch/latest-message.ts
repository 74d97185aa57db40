/**
 * A mailbox for one: a slow reader finds the newest message, never a queue.
 *
 *   put, put, put ─▶ [newest] ─▶ read
 */
export class LatestMessage<T> {
  readonly #areEqual: (a: T, b: T) => boolean;
  #last: T | null = null;
  #hasNew = false;
  #isEnded = false;
  #wake: (() => void) | null = null;

  constructor(areEqual: (a: T, b: T) => boolean) {
    this.#areEqual = areEqual;
  }

  /** Offers a message; one equal to the last is dropped. */
  put(message: T): void {
    if (this.#isEnded || (this.#last !== null && this.#areEqual(this.#last, message))) return;
    this.#last = message;
    this.#hasNew = true;
    this.#wake?.();
  }

  /** Offers the first message, unless a newer one came already. */
  putFirst(message: T): void {
    if (this.#last === null) this.put(message);
  }

  /** What the reader knows already, unless a newer one came: it is told of changes only. */
  start(known: T): void {
    this.#last ??= known;
  }

  /** Ends the reader after one more message, made from the last one. */
  finish(lastOf: (last: T) => T): void {
    if (this.#last !== null) this.put(lastOf(this.#last));
    this.end();
  }

  /** Ends the reader after what is in the box. */
  end(): void {
    this.#isEnded = true;
    this.#wake?.();
  }

  /** One reader. */
  async *read(): AsyncGenerator<T> {
    for (;;) {
      if (this.#hasNew && this.#last !== null) {
        this.#hasNew = false;
        yield this.#last;
      } else if (this.#isEnded) {
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
