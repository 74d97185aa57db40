import type { Scratch } from "./scratch.ts";

/** Most bytes of JSON text for one byte of UTF-8: a control character becomes six characters. */
export const JSON_BYTES_PER_BYTE_MAX = 6;

const QUOTE = 34;
const BACKSLASH = 92;

/**
 * Writes `source[from, to)` as a JSON string; returns the position behind it. The caller has reserved
 * `JSON_BYTES_PER_BYTE_MAX` for each byte and 2 for the quotes.
 *
 * Bytes that are not UTF-8 become U+FFFD (WHATWG decoder), so a lone surrogate can't occur.
 */
export function writeJsonString(
  scratch: Scratch,
  at: number,
  source: Buffer,
  from: number,
  to: number,
): number {
  const bytes = scratch.bytes;
  let write = at;
  bytes[write++] = QUOTE;
  for (let read = from; read < to; read++) {
    const byte = source[read] as number;
    if (byte < 32 || byte > 126 || byte === QUOTE || byte === BACKSLASH) {
      return at + bytes.write(JSON.stringify(source.toString("utf8", from, to)), at, "utf8");
    }
    bytes[write++] = byte;
  }
  bytes[write++] = QUOTE;
  return write;
}
