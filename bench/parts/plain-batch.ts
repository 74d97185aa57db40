import type { RecordBatch } from "@penstock/core";
import { recordBatchOf } from "../../packages/core/src/records/record-batch-of.ts";

/** A batch of records of one size, with letters as values (valid UTF-8). */
export function plainBatch(options: {
  count: number;
  valueBytes: number;
  /** -1 = null key. */
  keyBytes: number;
  headers: number;
  value?: Buffer;
}): RecordBatch {
  const headers = Array.from({ length: options.headers }, (_, index) => ({
    key: Buffer.from(`header-${index}`),
    value: Buffer.from(`value of header ${index}`),
  }));
  const records = Array.from({ length: options.count }, (_, index) => ({
    offset: 12_345_678n + BigInt(index),
    timestampMs: 1_545_084_650_987 + index,
    key: options.keyBytes < 0 ? null : Buffer.alloc(options.keyBytes, "k"),
    value: options.value ?? Buffer.alloc(options.valueBytes, "abcdefghijklmnopqrstuvwxyz"),
    headers,
  }));
  return recordBatchOf(records);
}
