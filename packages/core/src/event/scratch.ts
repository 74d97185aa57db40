import { invariant } from "../errors/penstock-error.ts";

/** Memory that an idle encoder keeps. */
export const SCRATCH_KEPT_BYTES_MAX = 1024 * 1024;
const SCRATCH_BYTES_MIN = 16 * 1024;
/** Room behind every reservation: fixed pieces and digits are written in steps of 4 and 8 bytes that may pass their end. */
const SLACK_BYTES = 16;

/**
 * The growing memory that payloads are built in, reused from one to the next.
 *
 * `bytes` and `view` are replaced by `reserve`: read them again after it. `trim` gives back what a large payload needed.
 */
export class Scratch {
  bytes: Buffer = Buffer.allocUnsafeSlow(SCRATCH_BYTES_MIN);
  view: DataView = viewOf(this.bytes);
  /** Reservations up to this position need no growth. */
  capacity: number = SCRATCH_BYTES_MIN - SLACK_BYTES;

  /** Makes room for `length` bytes at `at`; what lies before `at` is kept. */
  reserve(at: number, length: number): void {
    const needed = at + length;
    if (needed <= this.capacity) return;
    let size = this.bytes.length;
    while (size - SLACK_BYTES < needed) size *= 2;
    this.#replace(size, at);
  }

  /** A copy of the first `length` bytes in memory of its own. Small ones come from Node's buffer pool. */
  copy(length: number): Buffer {
    invariant(length <= this.capacity, "a payload lies within the scratch memory");
    const copy = Buffer.allocUnsafe(length);
    this.bytes.copy(copy, 0, 0, length);
    return copy;
  }

  trim(): void {
    if (this.bytes.length > SCRATCH_KEPT_BYTES_MAX) this.#replace(SCRATCH_BYTES_MIN, 0);
  }

  #replace(size: number, kept: number): void {
    const bytes = Buffer.allocUnsafeSlow(size);
    this.bytes.copy(bytes, 0, 0, kept);
    this.bytes = bytes;
    this.view = viewOf(bytes);
    this.capacity = size - SLACK_BYTES;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
