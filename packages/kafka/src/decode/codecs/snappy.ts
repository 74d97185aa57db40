/**
 * Snappy, raw (https://github.com/google/snappy/blob/main/format_description.txt) and in the "xerial" framing of Kafka's Java
 * client: a 16 byte header, then chunks of a big-endian length and a raw block.
 *
 * A block says its inflated size first. The sum of those is checked against the cap, and against what that many bytes can hold at
 * most, before anything is allocated; the output is exactly that size, or the input is refused.
 */
import { copyLiteral, copyMatch, viewOf } from "./copy-bytes.ts";
import { InflateFailure, overLimit } from "./inflate-failure.ts";

const XERIAL_MAGIC = Buffer.from([0x82, 0x53, 0x4e, 0x41, 0x50, 0x50, 0x59, 0x00]);
const XERIAL_HEADER_BYTES = 16;
/** A copy element of two bytes yields at most 64. */
const RATIO_MAX = 64;

export function inflateSnappy(input: Buffer, bytesMax: number): Buffer {
  if (!input.subarray(0, XERIAL_MAGIC.length).equals(XERIAL_MAGIC)) {
    const size = readSize(input, 0, input.length);
    const output = allocate(size.value, input.length, bytesMax);
    inflateBlock(input, size.next, input.length, output, 0, size.value);
    return output;
  }
  let total = 0;
  for (const { start, end } of xerialChunks(input)) total += readSize(input, start, end).value;
  const output = allocate(total, input.length, bytesMax);
  let at = 0;
  for (const { start, end } of xerialChunks(input)) {
    const size = readSize(input, start, end);
    inflateBlock(input, size.next, end, output, at, at + size.value);
    at += size.value;
  }
  return output;
}

function* xerialChunks(input: Buffer): Generator<{ start: number; end: number }> {
  if (input.length < XERIAL_HEADER_BYTES) throw broken();
  let at = XERIAL_HEADER_BYTES;
  while (at < input.length) {
    if (input.length - at < 4) throw broken();
    const length = input.readUInt32BE(at);
    at += 4;
    if (length > input.length - at) throw broken();
    yield { start: at, end: at + length };
    at += length;
  }
}

function allocate(size: number, inputBytes: number, bytesMax: number): Buffer {
  if (size > bytesMax) throw overLimit(bytesMax);
  if (size > inputBytes * RATIO_MAX) throw broken();
  return Buffer.allocUnsafeSlow(size);
}

function readSize(input: Buffer, start: number, end: number): { value: number; next: number } {
  let value = 0;
  for (let i = 0, at = start; i < 5 && at < end; i++, at++) {
    const byte = input[at] as number;
    value += (byte & 127) * 2 ** (7 * i);
    if (byte < 128) return { value, next: at + 1 };
  }
  throw broken();
}

/** Inflates `input[from, end)` to exactly `output[to, limit)`. Copies reach back to `to` at most: blocks are independent. */
function inflateBlock(
  input: Buffer,
  from: number,
  end: number,
  output: Buffer,
  to: number,
  limit: number,
): void {
  const inputView = viewOf(input);
  const view = viewOf(output);
  let read = from;
  let write = to;
  while (read < end) {
    const tag = input[read++] as number;
    const kind = tag & 3;
    if (kind === 0) {
      let length = tag >>> 2;
      if (length >= 60) {
        const bytes = length - 59;
        if (bytes > end - read) throw broken();
        length = input.readUIntLE(read, bytes);
        read += bytes;
      }
      length++;
      if (length > end - read || length > limit - write) throw broken();
      copyLiteral(input, inputView, read, output, view, write, length);
      read += length;
      write += length;
      continue;
    }
    let length: number;
    let distance: number;
    const bytes = kind === 3 ? 4 : kind;
    if (bytes > end - read) throw broken();
    if (kind === 1) {
      length = ((tag >>> 2) & 7) + 4;
      distance = ((tag >>> 5) << 8) | (input[read] as number);
    } else {
      length = (tag >>> 2) + 1;
      distance = (input[read] as number) | ((input[read + 1] as number) << 8);
      if (kind === 3)
        distance += (input[read + 2] as number) * 65_536 + (input[read + 3] as number) * 16_777_216;
    }
    read += bytes;
    if (distance === 0 || distance > write - to || length > limit - write) throw broken();
    copyMatch(output, view, write, distance, length);
    write += length;
  }
  if (write !== limit) throw broken();
}

function broken(): InflateFailure {
  return new InflateFailure("broken snappy data");
}
