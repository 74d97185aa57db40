/** Writes answers to Fetch, versions 0 to 11, for tests. */
export interface TestPartition {
  readonly partition: number;
  readonly errorCode?: number;
  readonly highWatermark?: bigint;
  readonly lastStableOffset?: bigint;
  readonly logStart?: bigint;
  readonly aborted?: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
  readonly records?: Buffer;
}

export function encodeFetchAnswer(
  version: number,
  partitions: readonly TestPartition[],
  throttleMs = 0,
): Buffer {
  const parts: Buffer[] = [];
  const int16 = (value: number) => parts.push(writing(2, (b) => b.writeInt16BE(value)));
  const int32 = (value: number) => parts.push(writing(4, (b) => b.writeInt32BE(value)));
  const int64 = (value: bigint) => parts.push(writing(8, (b) => b.writeBigInt64BE(value)));
  if (version >= 1) int32(throttleMs);
  if (version >= 7) {
    int16(0);
    int32(0);
  }
  int32(1);
  int16(6);
  parts.push(Buffer.from("orders"));
  int32(partitions.length);
  for (const row of partitions) {
    const { records = Buffer.alloc(0), highWatermark = 0n, aborted = [] } = row;
    int32(row.partition);
    int16(row.errorCode ?? 0);
    int64(highWatermark);
    if (version >= 4) int64(row.lastStableOffset ?? highWatermark);
    if (version >= 5) int64(row.logStart ?? 0n);
    if (version >= 4) {
      int32(aborted.length === 0 ? -1 : aborted.length);
      for (const { producerId, firstOffset } of aborted) {
        int64(producerId);
        int64(firstOffset);
      }
    }
    if (version >= 11) int32(-1);
    int32(records.length);
    parts.push(records);
  }
  return Buffer.concat(parts);
}

function writing(bytes: number, write: (buffer: Buffer) => void): Buffer {
  const buffer = Buffer.alloc(bytes);
  write(buffer);
  return buffer;
}
