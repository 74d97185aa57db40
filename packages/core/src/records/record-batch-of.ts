import {
  COLUMN_END,
  COLUMN_HEADERS,
  COLUMN_KEY,
  COLUMN_KEY_LENGTH,
  COLUMN_OFFSET,
  COLUMN_VALUE,
  COLUMN_VALUE_LENGTH,
  COLUMNS,
  type RecordBatch,
  type RecordHeader,
  SharedMemory,
  type TimestampType,
} from "./record-batch.ts";

/** A record in plain values. */
export interface PlainRecord {
  /** Ascending within a batch. */
  readonly offset: bigint;
  readonly timestampMs: number;
  readonly key: Buffer | null;
  readonly value: Buffer | null;
  readonly headers: readonly RecordHeader[];
}

/** A batch of views over records in plain values, for tests and measurements: what the decoder would have made of them. */
export function recordBatchOf(
  records: readonly PlainRecord[],
  timestampType: TimestampType = "CREATE_TIME",
): RecordBatch {
  const baseOffset = records[0]?.offset ?? 0n;
  const columns = new Int32Array(records.length * COLUMNS);
  const parts: Buffer[] = [];
  let length = 0;
  const put = (bytes: Buffer): number => {
    parts.push(bytes);
    length += bytes.length;
    return length - bytes.length;
  };
  for (const [row, record] of records.entries()) {
    const column = row * COLUMNS;
    columns[column + COLUMN_OFFSET] = Number(record.offset - baseOffset);
    columns[column + COLUMN_KEY] = put(record.key ?? Buffer.alloc(0));
    columns[column + COLUMN_KEY_LENGTH] = record.key?.length ?? -1;
    columns[column + COLUMN_VALUE] = put(record.value ?? Buffer.alloc(0));
    columns[column + COLUMN_VALUE_LENGTH] = record.value?.length ?? -1;
    columns[column + COLUMN_HEADERS] = put(headerBytes(record.headers));
    columns[column + COLUMN_END] = length;
  }
  return {
    baseOffset,
    nextOffset: (records.at(-1)?.offset ?? -1n) + 1n,
    count: records.length,
    buffer: Buffer.concat(parts),
    columns,
    timestamps: Float64Array.from(records, (record) => record.timestampMs),
    timestampType,
    bytes: length,
    memory: new SharedMemory(length, () => {}),
  };
}

function headerBytes(headers: readonly RecordHeader[]): Buffer {
  const parts = [zigzag(headers.length)];
  for (const { key, value } of headers) {
    parts.push(zigzag(key.length), key, zigzag(value?.length ?? -1), value ?? Buffer.alloc(0));
  }
  return Buffer.concat(parts);
}

function zigzag(value: number): Buffer {
  const bytes: number[] = [];
  let rest = ((value << 1) ^ (value >> 31)) >>> 0;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.from([...bytes, rest]);
}
