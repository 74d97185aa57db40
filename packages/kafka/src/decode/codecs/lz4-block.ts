/** Shorter runs are copied faster by a loop than by a native call. */
const NATIVE_COPY_BYTES_MIN = 32;

/**
 * Inflates one LZ4 block (https://github.com/lz4/lz4/blob/dev/doc/lz4_Block_format.md), `input[from, end)`, to `output` from
 * `to`, reaching back to `floor` at most.
 *
 * Returns the position after what was written; -1 when the block is broken, -2 when it needs more than `output[to, limit)`.
 */
export function inflateLz4Block(
  input: Buffer,
  from: number,
  end: number,
  output: Buffer,
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
    if (length < NATIVE_COPY_BYTES_MIN)
      for (let i = 0; i < length; i++) output[write + i] = input[read + i] as number;
    else input.copy(output, write, read, read + length);
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
    const source = write - distance;
    if (length >= NATIVE_COPY_BYTES_MIN && distance >= length)
      output.copyWithin(write, source, source + length);
    else if (length >= NATIVE_COPY_BYTES_MIN && distance === 1)
      output.fill(output[source] as number, write, write + length);
    else for (let i = 0; i < length; i++) output[write + i] = output[source + i] as number;
    write += length;
  }
  return -1;
}
