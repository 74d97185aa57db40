import { PenstockError } from "@penstock/core";

/** Reads the payload of one response front to back. What doesn't fit is `kafkaCorrupt`: never a read beyond the end, never an array of an absurd length. */
export class PayloadReader {
  readonly buffer: Buffer;
  at = 0;

  constructor(buffer: Buffer) {
    this.buffer = buffer;
  }

  /** Passes `bytes` and returns where they began. */
  skip(bytes: number): number {
    const start = this.at;
    if (!(bytes >= 0) || bytes > this.buffer.length - start) throw corrupt();
    this.at = start + bytes;
    return start;
  }

  int8(): number {
    return this.buffer.readInt8(this.skip(1));
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

  string(): string {
    const bytes = this.int16();
    if (bytes < 0) return "";
    const start = this.skip(bytes);
    return this.buffer.toString("utf8", start, start + bytes);
  }

  /** Null arrays are empty ones. Every element has at least one byte. */
  array<T>(read: () => T): T[] {
    return this.#elements(this.int32(), read);
  }

  uvarint(): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = this.buffer[this.skip(1)] as number;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
    throw corrupt();
  }

  compactString(): string {
    const bytes = Math.max(0, this.uvarint() - 1);
    const start = this.skip(bytes);
    return this.buffer.toString("utf8", start, start + bytes);
  }

  compactArray<T>(read: () => T): T[] {
    return this.#elements(this.uvarint() - 1, read);
  }

  taggedFields(): void {
    for (let count = this.uvarint(); count > 0; count--) {
      this.uvarint();
      this.skip(this.uvarint());
    }
  }

  uuid(): string {
    const start = this.skip(16);
    const hex = this.buffer.toString("hex", start, start + 16);
    return hex.replace(/^(.{8})(.{4})(.{4})(.{4})/, "$1-$2-$3-$4-");
  }

  #elements<T>(count: number, read: () => T): T[] {
    if (count > this.buffer.length - this.at) throw corrupt();
    const elements: T[] = [];
    for (let i = 0; i < count; i++) elements.push(read());
    return elements;
  }
}

function corrupt(): PenstockError {
  return new PenstockError("kafkaCorrupt", "A Kafka broker sent bytes that break the protocol.");
}
