/** Most bytes of a varint of 64 bits. */
export const VARINT_BYTES_MAX = 10;

const TWO_31 = 2 ** 31;

/** Bytes of a protobuf varint, 0 ≤ value ≤ 2^53. */
export function varintLength(value: number): number {
  let length = 1;
  let rest = value;
  for (; rest >= TWO_31; length++) rest = Math.floor(rest / 128);
  for (; rest > 127; length++) rest >>= 7;
  return length;
}

/** Writes a protobuf varint, 0 ≤ value ≤ 2^53; returns the position behind it. */
export function writeVarint(bytes: Uint8Array, at: number, value: number): number {
  let write = at;
  let rest = value;
  for (; rest >= TWO_31; rest = Math.floor(rest / 128)) bytes[write++] = (rest % 128) | 128;
  for (; rest > 127; rest >>= 7) bytes[write++] = (rest & 127) | 128;
  bytes[write++] = rest;
  return write;
}

/** Writes an int64 as a protobuf varint, a negative one in ten bytes; returns the position behind it. */
export function writeBigVarint(bytes: Uint8Array, at: number, value: bigint): number {
  let write = at;
  let rest = BigInt.asUintN(64, value);
  for (; rest > 127n; rest >>= 7n) bytes[write++] = Number(rest & 127n) | 128;
  bytes[write++] = Number(rest);
  return write;
}
