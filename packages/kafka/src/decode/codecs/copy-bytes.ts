/** Shorter runs are copied faster by a loop than by a native call. */
export const NATIVE_COPY_BYTES_MIN = 48;

/**
 * The repeated match of LZ4 and Snappy: `length` bytes from `distance` before `to`, where source and target may overlap, in which
 * case the bytes in between repeat. Bounds are the caller's. `view` is over the same bytes as `output`.
 */
export function copyMatch(
  output: Buffer,
  view: DataView,
  to: number,
  distance: number,
  length: number,
): void {
  let source = to - distance;
  let write = to;
  const end = to + length;
  if (length >= NATIVE_COPY_BYTES_MIN) {
    if (distance >= length) {
      output.copyWithin(to, source, source + length);
      return;
    }
    if (distance === 1) {
      output.fill(output[source] as number, to, end);
      return;
    }
  }
  if (distance >= 4)
    for (; write <= end - 4; write += 4, source += 4)
      view.setUint32(write, view.getUint32(source, true), true);
  while (write < end) output[write++] = output[source++] as number;
}

/** `length` bytes of `input` from `from` to `output` at `to`. Bounds are the caller's. */
export function copyLiteral(
  input: Buffer,
  inputView: DataView,
  from: number,
  output: Buffer,
  view: DataView,
  to: number,
  length: number,
): void {
  if (length >= NATIVE_COPY_BYTES_MIN) {
    input.copy(output, to, from, from + length);
    return;
  }
  let source = from;
  let write = to;
  const end = to + length;
  for (; write <= end - 4; write += 4, source += 4)
    view.setUint32(write, inputView.getUint32(source, true), true);
  while (write < end) output[write++] = input[source++] as number;
}

export function viewOf(bytes: Buffer): DataView {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}
