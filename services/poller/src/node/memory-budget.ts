/**
 * Bytes of records in memory, over all event pollers of the node: fetch responses and inflated batches as long as one record of
 * them is unsettled, and encoded payloads until their batch is settled.
 *
 * Over the limit, only lanes that have nothing to deliver keep fetching, so memory stays below the limit plus one fetch
 * response for each event poller, and no lane starves.
 */
export class MemoryBudget {
  readonly bytesMax: number;
  #bytes = 0;
  #wasOver = false;
  readonly #onRelief: () => void;

  /** `onRelief` is called when the use falls below 7/8 of the limit after it was over it. */
  constructor(bytesMax: number, onRelief: () => void) {
    this.bytesMax = bytesMax;
    this.#onRelief = onRelief;
  }

  get bytes(): number {
    return this.#bytes;
  }

  get isOver(): boolean {
    return this.#bytes > this.bytesMax;
  }

  /** Adds (or, negative, takes) bytes. */
  readonly count = (bytes: number): void => {
    this.#bytes += bytes;
    if (this.#bytes > this.bytesMax) this.#wasOver = true;
    else if (this.#wasOver && this.#bytes < this.bytesMax * 0.875) {
      this.#wasOver = false;
      this.#onRelief();
    }
  };
}
