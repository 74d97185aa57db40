import { invariant } from "../errors/penstock-error.ts";

/** Memory that the scratch keeps however small the payloads are. */
export const SCRATCH_KEPT_BYTES_MAX = 256 * 1024;
const SCRATCH_BYTES_MIN = 16 * 1024;
/** Room behind every reservation: fixed pieces and digits are written in steps of 4 and 8 bytes that may pass their end. */
const SLACK_BYTES = 16;
/** Payloads from this size are given away with the memory they were built in; copying smaller ones is cheaper than new memory. */
const GIVEN_AWAY_BYTES_MIN = 64 * 1024;
/** A payload that is given away fills at least this share of its memory. */
const GIVEN_AWAY_SHARE_MIN = 0.75;
const NOTHING = Buffer.alloc(0);

/**
 * The growing memory that payloads are built in.
 *
 *     start → reserve … → take
 *
 * `bytes` and `view` are replaced by `start` and `reserve`: read them again after it. The size follows the payloads of late:
 * at once upwards, and downwards by an eighth with each payload.
 */
export class Scratch {
  bytes: Buffer = NOTHING;
  view: DataView = viewOf(NOTHING);
  /** Reservations up to this position need no growth. */
  capacity = 0;
  /** What payloads of late needed. */
  #expected = SCRATCH_BYTES_MIN;

  /** Before a payload: memory as large as it will probably need. */
  start(): void {
    const size = this.bytes.length;
    const isTooLarge = size > SCRATCH_KEPT_BYTES_MAX && size > 4 * this.#expected;
    if (size === 0 || isTooLarge) this.#replace(this.#expected + SLACK_BYTES, 0);
  }

  /** Makes room for `length` bytes at `at`; what lies before `at` is kept. */
  reserve(at: number, length: number): void {
    const needed = at + length;
    if (needed <= this.capacity) return;
    this.#replace(Math.max(SCRATCH_BYTES_MIN, 2 * this.bytes.length, needed + SLACK_BYTES), at);
  }

  /** The first `length` bytes as a payload: memory that the scratch doesn't write again. */
  take(length: number): Buffer {
    invariant(length <= this.capacity, "a payload lies within the scratch memory");
    const expected = length + (length >> 4);
    this.#expected = Math.max(
      SCRATCH_BYTES_MIN,
      expected,
      this.#expected - Math.ceil(this.#expected / 8),
    );
    const bytes = this.bytes;
    if (length >= GIVEN_AWAY_BYTES_MIN && length >= GIVEN_AWAY_SHARE_MIN * bytes.length) {
      this.bytes = NOTHING;
      this.capacity = 0;
      return bytes.subarray(0, length);
    }
    // Small ones come from Node's buffer pool.
    const copy = Buffer.allocUnsafe(length);
    bytes.copy(copy, 0, 0, length);
    return copy;
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
