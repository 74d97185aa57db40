import { createRequire } from "node:module";
import {
  COLUMN_END,
  COLUMN_HEADERS,
  COLUMNS,
  type RecordBatch,
  recordKey,
  recordOffset,
  recordValue,
} from "@penstock/core";
import { Reader, readRecordsBatches } from "@platformatic/kafka";
import { lz4Decompress, snappyDecompress } from "@platformatic/wasm-utils";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBatchHeads } from "./batch-head.ts";
import { inflateLz4 } from "./codecs/lz4.ts";
import { inflateSnappy } from "./codecs/snappy.ts";
import { CountedMemory } from "./counted-memory.ts";
import { type DecodedRecordSet, decodeRecordSet, flatRowCount } from "./decode-record-set.ts";
import {
  type Codec,
  compress,
  encodeRecordBatch,
  sign,
  type TestBatch,
  type TestRecord,
} from "./testing/encode-record-batch.ts";
import { cursor, readVarint } from "./varint.ts";

const INFLATED_BYTES_MAX = 1 << 20;
const CODECS: readonly Codec[] = ["none", "gzip", "snappy", "xerial", "lz4", "zstd"];

function decode(bytes: Buffer, position = 0n, count = (_: number) => {}): DecodedRecordSet {
  const heads = readBatchHeads(bytes, 0, bytes.length);
  const memory = new CountedMemory(bytes.length, flatRowCount(heads), count);
  const set = { buffer: bytes, heads, position, aborted: [], highWatermark: -1n, memory };
  return decodeRecordSet(set, { inflatedBytesMax: INFLATED_BYTES_MAX, countMemory: count });
}

/** A record as plain data, to compare decoders by. */
interface Plain {
  offset: bigint;
  timestamp: bigint;
  key: string | null;
  value: string | null;
  headers: (string | null)[][];
}

const text = (bytes: Buffer | null) => (bytes === null ? null : bytes.toString("hex"));

function plain(batch: RecordBatch): Plain[] {
  return Array.from({ length: batch.count }, (_, row) => ({
    offset: recordOffset(batch, row),
    timestamp: BigInt(batch.timestamps[row] as number),
    key: text(recordKey(batch, row)),
    value: text(recordValue(batch, row)),
    headers: headersOf(batch, row),
  }));
}

/** Reads headers as later readers do: without a single check. */
function headersOf(batch: RecordBatch, row: number): (string | null)[][] {
  const { buffer, columns } = batch;
  cursor.at = columns[row * COLUMNS + COLUMN_HEADERS] as number;
  const take = () => {
    const length = readVarint(buffer);
    if (length < 0) return null;
    cursor.at += length;
    return text(buffer.subarray(cursor.at - length, cursor.at));
  };
  const headers = Array.from({ length: readVarint(buffer) }, () => [take(), take()]);
  expect(cursor.at).toBe(columns[row * COLUMNS + COLUMN_END]);
  return headers;
}

const bytesOrNull = fc.option(
  fc.oneof(
    fc.uint8Array({ maxLength: 20 }),
    fc.uint8Array({ minLength: 60, maxLength: 300 }),
    fc.nat(20_000).map((size) => Buffer.alloc(size, "penstock")),
  ),
);
const toBuffer = (bytes: Uint8Array | null) => (bytes === null ? null : Buffer.from(bytes));

const anyRecords: fc.Arbitrary<TestRecord[]> = fc
  .array(
    fc.record({
      step: fc.oneof(fc.constant(1), fc.integer({ min: 1, max: 100_000 })),
      timestampDelta: fc.oneof(
        fc.bigInt(-200n, 200n),
        fc.bigInt(-(2n ** 50n), 2n ** 50n),
        fc.bigInt(-(2n ** 52n), 2n ** 52n),
      ),
      key: bytesOrNull,
      value: bytesOrNull,
      headers: fc.array(fc.tuple(fc.uint8Array({ maxLength: 8 }), bytesOrNull), { maxLength: 3 }),
    }),
    { maxLength: 12 },
  )
  .map((rows) => {
    let offset = -1;
    return rows.map((row) => {
      offset += row.step;
      return {
        offsetDelta: offset,
        timestampDelta: row.timestampDelta,
        key: toBuffer(row.key),
        value: toBuffer(row.value),
        headers: row.headers.map(([k, v]) => [Buffer.from(k), toBuffer(v)] as const),
      };
    });
  });

const anyBatch: fc.Arbitrary<Omit<TestBatch, "baseOffset">> = fc.record({
  records: anyRecords,
  codec: fc.constantFrom(...CODECS),
  baseTimestamp: fc.bigInt(0n, 2n ** 42n),
  maxTimestamp: fc.bigInt(0n, 2n ** 42n),
  attributes: fc.constantFrom(0, 8),
});

/** Batches with ascending offsets and holes in between. */
const anyLog = fc
  .array(fc.tuple(anyBatch, fc.nat(1000), fc.nat(5)), { minLength: 1, maxLength: 4 })
  .map((rows) => {
    let next = 0n;
    return rows.map(([batch, gap, tail]) => {
      const baseOffset = next + BigInt(gap);
      const lastOffsetDelta = (batch.records.at(-1)?.offsetDelta ?? 0) + tail;
      next = baseOffset + BigInt(lastOffsetDelta) + 1n;
      return { ...batch, baseOffset, lastOffsetDelta };
    });
  });

function expected(batch: TestBatch): Plain[] {
  const { baseTimestamp = 0n, maxTimestamp = 0n } = batch;
  return batch.records.map((record) => ({
    offset: batch.baseOffset + BigInt(record.offsetDelta),
    timestamp: batch.attributes === 8 ? maxTimestamp : baseTimestamp + record.timestampDelta,
    key: text(record.key),
    value: text(record.value),
    headers: record.headers.map(([key, value]) => [text(key), text(value)]),
  }));
}

const load = createRequire(import.meta.url);
interface KafkajsRecord {
  offset: string;
  timestamp: string;
  key: Buffer | null;
  value: Buffer | null;
  headers: Record<string, unknown>;
}
const KafkajsDecoder = load("kafkajs/src/protocol/decoder");
const kafkajsDecode: (decoder: unknown) => Promise<{ records: KafkajsRecord[] }> = load(
  "kafkajs/src/protocol/recordBatch/v0/decoder",
);

describe("decodeRecordSet, by property", () => {
  it("I-13: gives back exactly what was encoded, over all codecs, gaps and positions", () => {
    fc.assert(
      fc.property(anyLog, fc.bigInt(0n, 3000n), (log, position) => {
        const decoded = decode(Buffer.concat(log.map(encodeRecordBatch)), position);
        expect(decoded.undecodable).toBeNull();
        const wanted = log.flatMap(expected).filter((record) => record.offset >= position);
        expect(decoded.batches.flatMap(plain)).toEqual(wanted);
        let next = position;
        for (const batch of decoded.batches) {
          expect(batch.baseOffset).toBe(next);
          expect(batch.nextOffset).toBeGreaterThan(batch.baseOffset);
          next = batch.nextOffset;
        }
        expect(decoded.nextOffset).toBe(next);
      }),
      { numRuns: 300 },
    );
  });

  it("I-13: agrees with the decoder of kafkajs", async () => {
    await fc.assert(
      fc.asyncProperty(anyBatch, async (batch) => {
        // kafkajs has no codec but gzip, and sums up headers by name: those are compared above.
        const codec = batch.codec === "gzip" ? ("gzip" as const) : ("none" as const);
        const records = batch.records.map((record) => ({ ...record, headers: [] }));
        const bytes = encodeRecordBatch({ ...batch, records, codec, baseOffset: 40n });
        const theirs = await kafkajsDecode(new KafkajsDecoder(bytes));
        const ours = decode(bytes, 40n).batches.flatMap(plain);
        expect(ours.map(({ headers: _, ...record }) => record)).toEqual(
          theirs.records.map((record) => ({
            offset: BigInt(record.offset),
            timestamp: BigInt(record.timestamp),
            key: text(record.key),
            value: text(record.value),
          })),
        );
      }),
    );
  });

  it("I-13: agrees with the decoder of @platformatic/kafka, headers included", () => {
    fc.assert(
      fc.property(anyBatch, (batch) => {
        const bytes = encodeRecordBatch({ ...batch, attributes: 0, baseOffset: 9n });
        const [theirs] = readRecordsBatches(Reader.from(bytes));
        const ours = decode(bytes, 9n).batches.flatMap(plain);
        expect(ours).toEqual(
          theirs?.records.map((record) => ({
            offset: theirs.firstOffset + BigInt(record.offsetDelta),
            timestamp: theirs.firstTimestamp + record.timestampDelta,
            key: text(record.key),
            value: text(record.value),
            headers: record.headers.map(([key, value]) => [text(key), text(value)]),
          })),
        );
      }),
    );
  });

  it("F10, F11: no change of any bytes, with or without a right checksum, makes it throw, loop, or give records out of range", () => {
    const change = fc.record({
      at: fc.nat(),
      byte: fc.oneof(fc.nat(255), fc.constantFrom(0, 1, 127, 128, 255)),
      cut: fc.option(fc.nat(), { freq: 4 }),
      isSigned: fc.boolean(),
    });
    fc.assert(
      fc.property(anyLog, fc.array(change, { minLength: 1, maxLength: 4 }), (log, changes) => {
        let bytes = Buffer.concat(log.map(encodeRecordBatch));
        for (const { at, byte, cut, isSigned } of changes) {
          if (bytes.length > 0) bytes[at % bytes.length] = byte;
          if (cut !== null) bytes = bytes.subarray(0, cut % (bytes.length + 1));
          if (isSigned) resign(bytes);
        }
        let alive = 0;
        let peak = 0;
        const decoded = decode(bytes, 0n, (counted) => {
          alive += counted;
          peak = Math.max(peak, alive);
        });
        // Each inflated batch is capped, and brings at most 36 bytes of row for each 7 bytes.
        expect(peak).toBeLessThanOrEqual((bytes.length + 5 * INFLATED_BYTES_MAX) * 7);
        let next = 0n;
        for (const batch of decoded.batches) {
          expect(batch.baseOffset).toBe(next);
          next = batch.nextOffset;
          for (const record of plain(batch)) {
            expect(record.offset).toBeGreaterThanOrEqual(batch.baseOffset);
            expect(record.offset).toBeLessThan(batch.nextOffset);
          }
          batch.memory.release();
        }
        expect(alive).toBe(0);
        if (decoded.undecodable !== null) {
          expect(decoded.undecodable.from).toBe(next);
          expect(decoded.undecodable.to).toBeGreaterThan(next);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("F11: random bytes", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
        decode(Buffer.from(bytes));
      }),
      { numRuns: 2000 },
    );
  });
});

/** Puts right checksums on what still looks like batches, so that changes reach the code behind the check. */
function resign(bytes: Buffer): void {
  for (let at = 0; bytes.length - at >= 61; ) {
    const end = at + 12 + bytes.readInt32BE(at + 8);
    if (end > bytes.length || end < at + 61) return;
    sign(bytes.subarray(at, end));
    at = end;
  }
}

describe("snappy and lz4, by property", () => {
  const input = fc.oneof(
    fc.uint8Array({ maxLength: 5000 }),
    fc.array(fc.constantFrom("penstock", "orders", "a", "bb", "0000000000"), { maxLength: 3000 }),
    fc.nat(400_000).map((size) => [`${size}`.padEnd(size, "x")]),
  );
  const bytesOf = (value: Uint8Array | string[]) =>
    Array.isArray(value) ? Buffer.from(value.join("")) : Buffer.from(value);

  it("F21: inflate what the reference implementations deflate", () => {
    fc.assert(
      fc.property(input, (value) => {
        const bytes = bytesOf(value);
        expect(inflateLz4(compress("lz4", bytes), 1 << 20).equals(bytes)).toBe(true);
        expect(inflateSnappy(compress("snappy", bytes), 1 << 20).equals(bytes)).toBe(true);
        expect(inflateSnappy(compress("xerial", bytes), 1 << 20).equals(bytes)).toBe(true);
        expect(lz4Decompress(compress("lz4", bytes)).equals(bytes)).toBe(true);
        expect(snappyDecompress(compress("snappy", bytes)).equals(bytes)).toBe(true);
      }),
    );
  });

  it("F91: refuse or inflate changed bytes within the cap", () => {
    const bytesMax = 100_000;
    fc.assert(
      fc.property(input, fc.nat(), fc.nat(255), fc.boolean(), (value, at, byte, isLz4) => {
        const packed = Buffer.from(compress(isLz4 ? "lz4" : "snappy", bytesOf(value)));
        packed[at % packed.length] = byte;
        try {
          const output = isLz4 ? inflateLz4(packed, bytesMax) : inflateSnappy(packed, bytesMax);
          expect(output.length).toBeLessThanOrEqual(bytesMax);
        } catch (error) {
          expect((error as Error).name).toBe("InflateFailure");
        }
      }),
      { numRuns: 1000 },
    );
  });
});
