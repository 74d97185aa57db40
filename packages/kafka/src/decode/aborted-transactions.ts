/** An aborted transaction as a fetch response names it: everything of this producer from `firstOffset` to its abort marker. */
export interface AbortedTransaction {
  readonly producerId: bigint;
  readonly firstOffset: bigint;
}

/**
 * Says which batches of a fetch response belong to aborted transactions (read_committed).
 *
 * Walk the batches in offset order. A producer is *open* from the first offset of one of its aborted transactions to its next
 * abort marker; transactional batches of an open producer are dropped. The marker need not be in the response: without one the
 * producer simply stays open to the end, and the next response names the transaction again.
 */
export class AbortedTransactions {
  readonly #waiting: readonly AbortedTransaction[];
  readonly #open = new Set<bigint>();
  #next = 0;

  constructor(transactions: readonly AbortedTransaction[]) {
    this.#waiting = [...transactions].sort((a, b) => (a.firstOffset < b.firstOffset ? -1 : 1));
  }

  /** Call for each batch, in order, with its last offset, before asking about it. */
  reach(lastOffset: bigint): void {
    for (;;) {
      const transaction = this.#waiting[this.#next];
      if (transaction === undefined || transaction.firstOffset > lastOffset) return;
      this.#open.add(transaction.producerId);
      this.#next++;
    }
  }

  isAborted(producerId: bigint): boolean {
    return this.#open.has(producerId);
  }

  /** An abort marker of this producer was passed. */
  end(producerId: bigint): void {
    this.#open.delete(producerId);
  }
}
