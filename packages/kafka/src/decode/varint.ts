/**
 * The rare, long forms of the varints of record format v2 (protocol buffers, zigzag). The hot loop reads the short ones inline.
 *
 * `cursor` is where the next read starts; a read moves it. Reading past the end of the buffer yields a value and moves the cursor
 * past the end: callers compare it with their bound, once, after a group of reads.
 */
export const cursor = { at: 0 };

/** A varint that is longer than its type allows. Distinct from every value: values are at most 2^53 in size. */
export const MALFORMED = Number.NaN;

/** 32 bit, zigzag. NaN when longer than five bytes. */
export function readVarint(buffer: Buffer): number {
  let value = 0;
  for (let shift = 0; shift < 35; shift += 7) {
    const byte = buffer[cursor.at++] as number;
    value |= (byte & 127) << shift;
    if (!(byte >= 128)) return (value >>> 1) ^ -(value & 1);
  }
  return MALFORMED;
}

/** 64 bit, zigzag, rounded above 2^53. NaN when longer than ten bytes. */
export function readVarlong(buffer: Buffer): number {
  const start = cursor.at;
  let value = 0;
  let scale = 1;
  for (let i = 0; i < 7; i++) {
    const byte = buffer[cursor.at++] as number;
    value += (byte & 127) * scale;
    if (!(byte >= 128)) return value % 2 === 0 ? value / 2 : -(value + 1) / 2;
    scale *= 128;
  }
  cursor.at = start;
  let exact = 0n;
  for (let shift = 0n; shift < 70n; shift += 7n) {
    const byte = buffer[cursor.at++] ?? 0;
    exact |= BigInt(byte & 127) << shift;
    if (byte < 128) {
      const bits = BigInt.asUintN(64, exact);
      return Number(BigInt.asIntN(64, (bits >> 1n) ^ -(bits & 1n)));
    }
  }
  return MALFORMED;
}
