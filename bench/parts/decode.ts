/**
 * Decoding alone, against the library's own decoder: ns of CPU time per record (garbage collection included), for records as producers with default settings batch them.
 *
 *   node bench/parts/decode.ts
 *
 * "views" also takes key and value of every record as a Buffer, which the library always does.
 */
import { randomBytes } from "node:crypto";
import { recordKey, recordValue } from "@penstock/core";
import { Reader, readRecordsBatches } from "@platformatic/kafka";
import { readBatchHeads } from "../../packages/kafka/src/decode/batch-head.ts";
import { CountedMemory } from "../../packages/kafka/src/decode/counted-memory.ts";
import {
  decodeRecordSet,
  flatRowCount,
} from "../../packages/kafka/src/decode/decode-record-set.ts";
import {
  type Codec,
  encodeRecordBatch,
} from "../../packages/kafka/src/decode/testing/encode-record-batch.ts";

const SET_BYTES = 1024 * 1024;
const BATCH_BYTES = 16 * 1024;
const ROUND_MS = 400;
const ROUNDS = 5;

/** One partition's part of a fetch response: 1 MiB of 16 KiB batches. */
function recordSet(valueBytes: number, codec: Codec): { bytes: Buffer; records: number } {
  const perBatch = Math.max(1, Math.floor(BATCH_BYTES / (valueBytes + 8)));
  const batches: Buffer[] = [];
  let size = 0;
  let records = 0;
  while (size < SET_BYTES) {
    const rows = Array.from({ length: perBatch }, (_, i) => ({
      offsetDelta: i,
      timestampDelta: BigInt(i >> 3),
      key: null,
      value: Buffer.from(randomBytes(valueBytes).toString("base64").slice(0, valueBytes)),
      headers: [],
    }));
    const batch = encodeRecordBatch({ baseOffset: BigInt(records), records: rows, codec });
    batches.push(batch);
    size += batch.length;
    records += perBatch;
  }
  return { bytes: Buffer.concat(batches), records };
}

let sink = 0;

function ours(bytes: Buffer, withViews: boolean): void {
  const heads = readBatchHeads(bytes, 0, bytes.length);
  const memory = new CountedMemory(bytes.length, flatRowCount(heads), () => {});
  const set = { buffer: bytes, heads, position: 0n, aborted: [], highWatermark: -1n, memory };
  const limits = { inflatedBytesMax: 1 << 26, countMemory: () => {} };
  const { batches, undecodable } = decodeRecordSet(set, limits);
  if (undecodable) throw new Error(undecodable.reason);
  for (const batch of batches) {
    sink += batch.count;
    if (!withViews) continue;
    for (let row = 0; row < batch.count; row++)
      sink += (recordKey(batch, row)?.length ?? 0) + (recordValue(batch, row)?.length ?? 0);
  }
}

function theirs(bytes: Buffer): void {
  for (const batch of readRecordsBatches(Reader.from(bytes))) sink += batch.records.length;
}

/** Median of the rounds, ns of CPU per record: what else runs on the machine counts less than by the clock. */
function measure(records: number, run: () => void): number {
  const rounds: number[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    const start = process.cpuUsage();
    let micros = 0;
    let times = 0;
    while (micros < ROUND_MS * 1000) {
      run();
      times++;
      const { user, system } = process.cpuUsage(start);
      micros = user + system;
    }
    rounds.push((micros * 1000) / (times * records));
  }
  return rounds.sort((a, b) => a - b)[ROUNDS >> 1] ?? 0;
}

const lines = ["value  codec   ns/record  with views  library"];
for (const valueBytes of [100, 1024])
  for (const codec of ["none", "lz4", "snappy", "zstd", "gzip"] as const) {
    const { bytes, records } = recordSet(valueBytes, codec);
    const figures = [
      measure(records, () => ours(bytes, false)),
      measure(records, () => ours(bytes, true)),
      measure(records, () => theirs(bytes)),
    ].map((figure) => figure.toFixed(0).padStart(10));
    lines.push(`${String(valueBytes).padStart(5)}  ${codec.padEnd(6)} ${figures.join(" ")}`);
  }
process.stdout.write(`${lines.join("\n")}\n(${sink % 10})\n`);
