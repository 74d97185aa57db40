import { invariant } from "../../errors/penstock-error.ts";

/** A slab is never larger than this, unless one payload needs more. */
export const SLAB_BYTES_MAX = 256 * 1024;
/** Payloads of the expected size that one slab takes. */
const PAYLOADS_PER_SLAB = 8;
const PAYLOAD_BYTES_MIN = 4 * 1024;
/** Room behind every reservation: fixed pieces and digits are written in steps of 4 and 8 bytes that may pass their end. */
const SLACK_BYTES = 16;
const NOTHING = Buffer.alloc(0);

/**
 * The growing memory that payloads are built in: cut from slabs, so that a payload is neither copied nor an allocation of its own.
 *
 *     slab   │ payload │ payload │ payload being built … │ free │
 *     start → reserve … → take                            ^ capacity
 *
 * `bytes` and `view` are replaced by `start` and `reserve`: read them again after it. Memory that was taken is never written
 * again. A slab lives as long as one of its payloads: whoever keeps a payload for long keeps a copy.
 */
export class Scratch {
  bytes: Buffer = NOTHING;
  view: DataView = viewOf(NOTHING);
  /** Reservations up to this position need no growth. */
  capacity = 0;
  #slab: Buffer = NOTHING;
  /** Where the free part of the slab begins. */
  #free = 0;
  /** What payloads of late needed: at once upwards, and downwards by an eighth with each payload. */
  #expected = PAYLOAD_BYTES_MIN;

  /** Before a payload: memory as large as it will probably need. */
  start(): void {
    // A slab above the usual size was made for one payload, and goes with it.
    const isSpent = this.#slab.length > SLAB_BYTES_MAX && this.#free > 0;
    const room = isSpent ? 0 : this.#slab.length - this.#free;
    if (room < this.#expected + SLACK_BYTES) this.#replace(0, 0);
    else this.#open();
  }

  /** Makes room for `length` bytes at `at`; what lies before `at` is kept. */
  reserve(at: number, length: number): void {
    const needed = at + length;
    if (needed > this.capacity) this.#replace(needed, at);
  }

  /** The first `length` bytes as a payload: memory that the scratch doesn't write again. */
  take(length: number): Buffer {
    invariant(length <= this.capacity, "a payload lies within the scratch memory");
    this.#expected = Math.max(
      PAYLOAD_BYTES_MIN,
      length + (length >> 4),
      this.#expected - Math.ceil(this.#expected / 8),
    );
    const payload = this.bytes.subarray(0, length);
    this.#free += (length + 7) & ~7;
    this.bytes = NOTHING;
    this.capacity = 0;
    return payload;
  }

  /** A new slab, with room for `needed` bytes and twice what is there; the first `kept` bytes come along. */
  #replace(needed: number, kept: number): void {
    const payload = Math.max(this.#expected, needed, 2 * kept) + SLACK_BYTES;
    const slab = Buffer.allocUnsafeSlow(
      Math.max(payload, Math.min(SLAB_BYTES_MAX, payload * PAYLOADS_PER_SLAB)),
    );
    this.bytes.copy(slab, 0, 0, kept);
    this.#slab = slab;
    this.#free = 0;
    this.#open();
  }

  #open(): void {
    this.bytes = this.#slab.subarray(this.#free);
    this.view = viewOf(this.bytes);
    this.capacity = this.bytes.length - SLACK_BYTES;
  }
}

function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
}
