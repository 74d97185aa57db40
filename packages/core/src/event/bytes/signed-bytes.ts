/** Most bytes of text for one byte: `-128,`. */
export const SIGNED_BYTE_TEXT_MAX = 5;

/** "0" … "127", "-128" … "-1" by byte, as little-endian int32. */
const TEXT = new Int32Array(256);
/** How many bytes of it count. */
const LENGTH = new Uint8Array(256);
const COMMA = 44;
for (let byte = 0; byte < 256; byte++) {
  const digits = String((byte << 24) >> 24);
  LENGTH[byte] = digits.length;
  TEXT[byte] = Buffer.from(digits.padEnd(4, ",")).readInt32LE();
}

/** Writes bytes as a JSON array of numbers -128 … 127 (Java `byte`); returns the position behind it. */
export function writeSignedBytes(
  view: DataView,
  at: number,
  source: Buffer,
  from: number,
  to: number,
): number {
  let write = at;
  view.setUint8(write++, 91);
  for (let read = from; read < to; read++) {
    const byte = source[read] as number;
    view.setInt32(write, TEXT[byte] as number, true);
    write += LENGTH[byte] as number;
    view.setUint8(write++, COMMA);
  }
  if (to > from) write--;
  view.setUint8(write++, 93);
  return write;
}
