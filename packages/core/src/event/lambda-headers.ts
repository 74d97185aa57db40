import type { HeaderCursor } from "../records/header-cursor.ts";
import { fixedPiece, writeShort } from "./bytes/fixed-piece.ts";
import { JSON_BYTES_PER_BYTE_MAX, writeJsonString } from "./bytes/json-string.ts";
import type { Scratch } from "./bytes/scratch.ts";
import { SIGNED_BYTE_TEXT_MAX, writeSignedBytes } from "./bytes/signed-bytes.ts";

const HEADERS = fixedPiece(',"headers":[');
const END = fixedPiece("]}");
const NULL = fixedPiece("null");
const COMMA = 44;
const COLON = 58;
const BRACE_OPEN = 123;
const BRACE_CLOSE = 125;

/** Quotes, braces and brackets of one header, and the end of the list. */
const FIXED_BYTES_MAX = 32;

/**
 * Writes the `headers` member and the end of a record of the Lambda event: `,"headers":[{"name":[104,-36]}]}`. Returns the
 * position behind it, or -1 when that is above `atMax`; memory is never taken for more than a small multiple of `atMax`.
 */
export function writeLambdaHeaders(
  scratch: Scratch,
  from: number,
  headers: HeaderCursor,
  atMax: number,
): number {
  scratch.reserve(from, HEADERS.length);
  let at = writeShort(scratch.view, from, HEADERS);
  for (let index = 0; headers.next(); index++) {
    const nameBytes = headers.nameTo - headers.nameFrom;
    const valueBytes = headers.valueTo < 0 ? 0 : headers.valueTo - headers.valueFrom;
    // The least they can take: two characters for a byte of a value, one for a byte of a name (a U+FFFD has three and stands for at most three).
    if (at + nameBytes + 2 * valueBytes > atMax) return -1;
    const length = nameBytes * JSON_BYTES_PER_BYTE_MAX + valueBytes * SIGNED_BYTE_TEXT_MAX;
    scratch.reserve(at, length + FIXED_BYTES_MAX);
    if (index > 0) scratch.bytes[at++] = COMMA;
    scratch.bytes[at++] = BRACE_OPEN;
    at = writeJsonString(scratch, at, headers.buffer, headers.nameFrom, headers.nameTo);
    scratch.bytes[at++] = COLON;
    at =
      headers.valueTo < 0
        ? writeShort(scratch.view, at, NULL)
        : writeSignedBytes(scratch.view, at, headers.buffer, headers.valueFrom, headers.valueTo);
    scratch.bytes[at++] = BRACE_CLOSE;
    if (at > atMax) return -1;
  }
  scratch.reserve(at, FIXED_BYTES_MAX);
  at = writeShort(scratch.view, at, END);
  return at > atMax ? -1 : at;
}
