/** Bytes that are no answer to what was asked: a length or a count that can't be true. The connection they came on is dropped. */
export class WireFault extends Error {
  override readonly name = "WireFault";
}

/** Reads the primitive types of the Kafka protocol and never past the end. Throws {@link WireFault}. */
export class WireReader {
  readonly buffer: Buffer;
  at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  /** What is thrown. */
  protected fault(what: string): Error {
    return new WireFault(what);
  }

  /** Moves over `bytes` and gives the position before. */
  skip(bytes: number): number {
    const { at } = this;
    if (!(bytes >= 0 && bytes <= this.buffer.length - at)) throw this.fault("length past the end");
    this.at = at + bytes;
    return at;
  }

  int16(): number {
    return this.buffer.readInt16BE(this.skip(2));
  }

  int32(): number {
    return this.buffer.readInt32BE(this.skip(4));
  }

  int64(): bigint {
    return this.buffer.readBigInt64BE(this.skip(8));
  }

  /** UUID, lower-case hex with dashes. */
  uuid(): string {
    const hex = this.buffer.toString("hex", this.skip(16), this.at);
    return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-${hex.slice(12, 16)}-${hex.slice(16, 20)}-${hex.slice(20)}`;
  }

  unsignedVarint(): number {
    let value = 0;
    for (let scale = 1; scale <= 2 ** 28; scale *= 128) {
      const byte = this.buffer[this.skip(1)] as number;
      value += (byte & 127) * scale;
      if (byte < 128) return value;
    }
    throw this.fault("varint too long");
  }

  /** Length of a compact array whose elements take at least `bytesMin` each; null counts as empty. */
  arrayLength(bytesMin: number): number {
    const length = Math.max(0, this.unsignedVarint() - 1);
    if (length * bytesMin > this.buffer.length - this.at) throw this.fault("array past the end");
    return length;
  }

  /** Tagged fields, none of which is of interest. */
  skipTags(): void {
    for (let left = this.unsignedVarint(); left > 0; left--) {
      this.unsignedVarint();
      this.skip(this.unsignedVarint());
    }
  }
}
