import { COLUMNS, SharedMemory } from "@penstock/core";

/** Bytes of columns and timestamp of one row. */
const ROW_BYTES = COLUMNS * Int32Array.BYTES_PER_ELEMENT + Float64Array.BYTES_PER_ELEMENT;

/** Reports bytes that come alive (positive) and go (negative). */
export type CountMemory = (bytes: number) => void;

/**
 * Memory of a buffer and the rows that point into it, counted while a batch keeps it: a discarded response never is, and one whose
 * first batches were released before its last ones came about is counted again.
 */
export class CountedMemory {
  readonly #bytes: number;
  readonly #count: CountMemory;
  #shared: SharedMemory | null = null;

  constructor(bufferBytes: number, rows: number, count: CountMemory) {
    this.#bytes = bufferBytes + rows * ROW_BYTES;
    this.#count = count;
  }

  /** The shared count, held once more. */
  hold(): SharedMemory {
    if (this.#shared === null) {
      this.#shared = new SharedMemory(this.#bytes, (bytes) => {
        this.#shared = null;
        this.#count(-bytes);
      });
      this.#count(this.#bytes);
    }
    this.#shared.hold();
    return this.#shared;
  }
}
