import { copyLiteral, copyMatch } from "./copy-bytes.ts";

/**
 * Inflates one LZ4 block (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md), `input[from, end)`, to `output` from
 * `to`, reaching back to `floor` at most.
 *
 * Returns the position after what was written; -1 when the block is broken, -2 when it needs more than `output[to, limit)`.
 */
export function inflateLz4Block(
  input: Buffer,
  inputView: DataView,
  from: number,
  end: number,
  output: Buffer,
  view: DataView,
  to: number,
  limit: number,
  floor: number,
): number {
  let read = from;
  let write = to;
  while (read < end) {
    const token = input[read++] as number;
    let length = token >>> 4;
    if (length === 15) {
      let byte = 255;
      while (byte === 255) {
        if (read >= end) return -1;
        byte = input[read++] as number;
        length += byte;
      }
    }
    if (length > end - read) return -1;
    if (length > limit - write) return -2;
    copyLiteral(input, inputView, read, output, view, write, length);
    read += length;
    write += length;
    // The last sequence has no match.
    if (read === end) return write;
    if (end - read < 2) return -1;
    const distance = (input[read] as number) | ((input[read + 1] as number) << 8);
    read += 2;
    if (distance === 0 || distance > write - floor) return -1;
    length = token & 15;
    if (length === 15) {
      let byte = 255;
      while (byte === 255) {
        if (read >= end) return -1;
        byte = input[read++] as number;
        length += byte;
      }
    }
    length += 4;
    if (length > limit - write) return -2;
    copyMatch(output, view, write, distance, length);
    write += length;
  }
  return -1;
}
