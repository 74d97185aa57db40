/**
 * Those who wait for a heartbeat that begins after they asked: it proves that the member was one, and what it held its own, after the question.
 */
interface Waiter {
  readonly beat: number;
  readonly incarnation: number;
  resolve(isConfirmed: boolean): void;
}

export class Confirmations {
  #beats = 0;
  #waiters: Waiter[] = [];

  /** Resolves with the next heartbeat that begins. */
  wait(incarnation: number): Promise<boolean> {
    const { promise, resolve } = Promise.withResolvers<boolean>();
    this.#waiters.push({ beat: this.#beats + 1, incarnation, resolve });
    return promise;
  }

  /** A heartbeat is sent now. */
  began(): void {
    this.#beats++;
  }

  /** The last one that began succeeded for this incarnation. */
  succeeded(incarnation: number): void {
    const beat = this.#beats;
    this.#settle((waiter) => waiter.beat <= beat && waiter.incarnation === incarnation, true);
  }

  failed(): void {
    this.#settle(() => true, false);
  }

  /** Who asked about another incarnation gets a no. */
  only(incarnation: number): void {
    this.#settle((waiter) => waiter.incarnation !== incarnation, false);
  }

  #settle(matches: (waiter: Waiter) => boolean, isConfirmed: boolean): void {
    const settled = this.#waiters.filter(matches);
    this.#waiters = this.#waiters.filter((waiter) => !settled.includes(waiter));
    for (const waiter of settled) waiter.resolve(isConfirmed);
  }
}
