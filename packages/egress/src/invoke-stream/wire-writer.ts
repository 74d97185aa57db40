/**
 * Writes protobuf fields into one growing buffer that is used again and again: what is taken out is a copy.
 *
 * Zero values and empty strings are left out, as proto3 does for fields without presence.
 */
export class WireWriter {
  #buffer: Buffer;
  #at = 0;

  constructor(initialBytes = 1024) {
    this.#buffer = Buffer.allocUnsafeSlow(initialBytes);
  }

  get byteLength(): number {
    return this.#at;
  }

  reset(): void {
    this.#at = 0;
  }

  /** What was written, in memory of its own. */
  take(): Buffer {
    const bytes = Buffer.allocUnsafe(this.#at);
    this.#buffer.copy(bytes, 0, 0, this.#at);
    this.#at = 0;
    return bytes;
  }

  /** Leaves room for a gRPC frame head; `frame` fills it in when the length is known. */
  openFrame(): number {
    const start = this.#at;
    this.#reserve(5);
    this.#at += 5;
    return start;
  }

  /** `extraBytes`: bytes of the message that are sent after the ones written here. */
  closeFrame(start: number, extraBytes = 0): void {
    this.#buffer[start] = 0;
    this.#buffer.writeUInt32BE(this.#at - start - 5 + extraBytes, start + 1);
  }

  /** A varint of an unsigned number up to 2^53 or a bigint up to 2^64. */
  varint(value: number | bigint): void {
    this.#reserve(10);
    if (typeof value === "bigint") {
      let rest = BigInt.asUintN(64, value);
      while (rest > 127n) {
        this.#buffer[this.#at++] = Number(rest & 127n) | 128;
        rest >>= 7n;
      }
      this.#buffer[this.#at++] = Number(rest);
      return;
    }
    let rest = value;
    while (rest > 0x7fffffff) {
      this.#buffer[this.#at++] = (rest % 128) | 128;
      rest = Math.floor(rest / 128);
    }
    while (rest > 127) {
      this.#buffer[this.#at++] = (rest & 127) | 128;
      rest >>>= 7;
    }
    this.#buffer[this.#at++] = rest;
  }

  uint(field: number, value: number | bigint): void {
    if (value === 0 || value === 0n) return;
    this.#tag(field, 0);
    this.varint(value);
  }

  text(field: number, value: string): void {
    if (value === "") return;
    this.#tag(field, 2);
    const bytes = Buffer.byteLength(value);
    this.varint(bytes);
    this.#reserve(bytes);
    this.#buffer.write(value, this.#at, bytes, bytes === value.length ? "latin1" : "utf8");
    this.#at += bytes;
  }

  /** Tag and length of a field whose bytes follow elsewhere. */
  bytesHead(field: number, length: number): void {
    this.#tag(field, 2);
    this.varint(length);
  }

  bytes(value: Buffer): void {
    this.#reserve(value.length);
    value.copy(this.#buffer, this.#at);
    this.#at += value.length;
  }

  /** Opens a nested message of at most 16 383 bytes; `close` fills in its length. */
  open(field: number): number {
    this.#tag(field, 2);
    this.#reserve(2);
    this.#at += 2;
    return this.#at;
  }

  close(start: number): void {
    const length = this.#at - start;
    // A two-byte varint also for small lengths: legal, and nothing has to move.
    this.#buffer[start - 2] = (length & 127) | 128;
    this.#buffer[start - 1] = length >> 7;
  }

  /** A `google.protobuf.Duration`. */
  durationMs(field: number, durationMs: number): void {
    const nested = this.open(field);
    const micros = Math.round(Math.max(0, durationMs) * 1000);
    this.uint(1, Math.floor(micros / 1_000_000));
    this.uint(2, (micros % 1_000_000) * 1000);
    this.close(nested);
  }

  #tag(field: number, wireType: number): void {
    this.#reserve(2);
    const tag = (field << 3) | wireType;
    if (tag > 127) this.#buffer[this.#at++] = (tag & 127) | 128;
    this.#buffer[this.#at++] = tag > 127 ? tag >> 7 : tag;
  }

  #reserve(count: number): void {
    if (this.#at + count <= this.#buffer.length) return;
    const grown = Buffer.allocUnsafeSlow(Math.max(this.#buffer.length * 2, this.#at + count));
    this.#buffer.copy(grown, 0, 0, this.#at);
    this.#buffer = grown;
  }
}
