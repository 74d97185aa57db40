/** Bytes that are not a protobuf message. */
export class WireError extends Error {
  override readonly name = "WireError";
}

/**
 * Reads protobuf fields from a buffer, bounded by its end. Numbers are exact up to 2^53; `uint64` gives a bigint above.
 */
export class WireReader {
  readonly #buffer: Buffer;
  #at: number;
  readonly #end: number;

  constructor(buffer: Buffer, start = 0, end = buffer.length) {
    this.#buffer = buffer;
    this.#at = start;
    this.#end = end;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#end;
  }

  /** The next tag: field number × 8 + wire type. */
  tag(): number {
    const tag = this.uint32();
    if (tag >>> 3 === 0) throw new WireError("field number 0");
    return tag;
  }

  /** A varint cut to its low 32 bits, as protobuf does for 32-bit fields. */
  uint32(): number {
    let value = 0;
    for (let shift = 0; shift < 70; shift += 7) {
      const byte = this.#byte();
      if (shift < 32) value |= (byte & 127) << shift;
      if (byte < 128) return value >>> 0;
    }
    throw new WireError("varint too long");
  }

  uint64(): number | bigint {
    let low = 0;
    let factor = 1;
    const start = this.#at;
    for (let count = 0; count < 7; count++) {
      const byte = this.#byte();
      low += (byte & 127) * factor;
      if (byte < 128) return low;
      factor *= 128;
    }
    this.#at = start;
    return this.#bigUint64();
  }

  text(): string {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return length === 0 ? "" : this.#buffer.toString("utf8", start, this.#at);
  }

  /** A view, not a copy. */
  bytes(): Buffer {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return this.#buffer.subarray(start, this.#at);
  }

  /** A nested message. */
  nested(): WireReader {
    const length = this.#length();
    const start = this.#at;
    this.#at += length;
    return new WireReader(this.#buffer, start, this.#at);
  }

  /** A `google.protobuf.Duration` in ms. */
  durationMs(): number {
    const nested = this.nested();
    let ms = 0;
    while (!nested.isAtEnd) {
      const tag = nested.tag();
      if (tag === 0x08) ms += Number(BigInt.asIntN(64, BigInt(nested.uint64()))) * 1000;
      else if (tag === 0x10) ms += (nested.uint32() | 0) / 1e6;
      else nested.skip(tag);
    }
    return ms;
  }

  skip(tag: number): void {
    switch (tag & 7) {
      case 0:
        this.uint64();
        return;
      case 1:
        this.#advance(8);
        return;
      case 2:
        this.#advance(this.#length());
        return;
      case 5:
        this.#advance(4);
        return;
      default:
        throw new WireError("wire type that is not used");
    }
  }

  #bigUint64(): bigint {
    let value = 0n;
    for (let shift = 0n; shift < 70n; shift += 7n) {
      const byte = this.#byte();
      value |= BigInt(byte & 127) << shift;
      if (byte < 128) {
        const exact = BigInt.asUintN(64, value);
        return exact;
      }
    }
    throw new WireError("varint too long");
  }

  #byte(): number {
    const byte = this.#at < this.#end ? this.#buffer[this.#at] : undefined;
    if (byte === undefined) throw new WireError("message cut short");
    this.#at++;
    return byte;
  }

  #length(): number {
    const length = this.uint32();
    if (length > this.#end - this.#at) throw new WireError("field longer than its message");
    return length;
  }

  #advance(count: number): void {
    if (count > this.#end - this.#at) throw new WireError("message cut short");
    this.#at += count;
  }
}
