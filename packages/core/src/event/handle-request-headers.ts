import type { HeaderCursor } from "../records/header-cursor.ts";
import type { Scratch } from "./bytes/scratch.ts";
import { VARINT_BYTES_MAX, varintLength, writeVarint } from "./bytes/varint.ts";

/** `Record.headers`, `Header.key`, `Header.value`: field number and wire type 2. */
const HEADERS_TAG = 0x32;
const NAME_TAG = 0x0a;
const VALUE_TAG = 0x12;

/** Three tags and three lengths. */
const FIXED_BYTES_MAX = 3 * (1 + VARINT_BYTES_MAX);

/**
 * Writes the `headers` of a `Record` message. Returns the position behind them, or -1 when that is above `atMax`; memory is
 * never taken for more than a small multiple of `atMax`.
 */
export function writeHandleRequestHeaders(
  scratch: Scratch,
  from: number,
  headers: HeaderCursor,
  atMax: number,
): number {
  let at = from;
  while (headers.next()) {
    const nameBytes = headers.nameTo - headers.nameFrom;
    const valueBytes = headers.valueTo < 0 ? -1 : headers.valueTo - headers.valueFrom;
    if (at + nameBytes + Math.max(0, valueBytes) > atMax) return -1;
    const name = utf8(headers.buffer, headers.nameFrom, headers.nameTo);
    const size = fieldLength(name.length) + (valueBytes < 0 ? 0 : 1 + lengthPrefixed(valueBytes));
    scratch.reserve(at, size + FIXED_BYTES_MAX);
    const bytes = scratch.bytes;
    bytes[at++] = HEADERS_TAG;
    at = writeVarint(bytes, at, size);
    if (name.length > 0) {
      bytes[at++] = NAME_TAG;
      at = writeVarint(bytes, at, name.length);
      bytes.set(name, at);
      at += name.length;
    }
    if (valueBytes >= 0) {
      bytes[at++] = VALUE_TAG;
      at = writeVarint(bytes, at, valueBytes);
      headers.buffer.copy(bytes, at, headers.valueFrom, headers.valueTo);
      at += valueBytes;
    }
    if (at > atMax) return -1;
  }
  return at;
}

/** A string field: left out when empty. */
function fieldLength(length: number): number {
  return length === 0 ? 0 : 1 + lengthPrefixed(length);
}

function lengthPrefixed(length: number): number {
  return varintLength(length) + length;
}

/** The bytes themselves where they are ASCII; otherwise decoded and encoded again, which replaces what is not UTF-8. */
function utf8(buffer: Buffer, from: number, to: number): Buffer {
  for (let at = from; at < to; at++) {
    if ((buffer[at] as number) > 127) return Buffer.from(buffer.toString("utf8", from, to), "utf8");
  }
  return buffer.subarray(from, to);
}
