import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainRecords } from "../records/plain-record-arbitrary.ts";
import { type PlainRecord, recordBatchOf } from "../records/record-batch-of.ts";
import type { BatchEncoder, BatchEncoderOptions } from "./batch-encoder.ts";
import { createHandleRequestEncoder } from "./handle-request-encoder.ts";
import { createLambdaEventEncoder } from "./lambda-event-encoder.ts";

const ANY_SIZE = 64 * 1024 * 1024;

/** Records in two partitions; returns how many were taken before one was refused. */
function fill(encoder: BatchEncoder, records: readonly PlainRecord[]): number {
  const batch = recordBatchOf(records);
  const half = Math.ceil(records.length / 2);
  encoder.begin();
  encoder.partition("orders", 0);
  const first = encoder.appendRange(batch, null, 0, half);
  if (first < half) return first;
  encoder.partition("orders", 200);
  return half + encoder.appendRange(batch, null, half, batch.count);
}

describe.each([
  ["lambda event", createLambdaEventEncoder],
  ["handle request", createHandleRequestEncoder],
])("the %s encoder", (_, create: (options: BatchEncoderOptions) => BatchEncoder) => {
  const encoderOf = (bytesMax = ANY_SIZE) => create({ bootstrapServers: ["a:1"], bytesMax });

  it("I-14: takes a payload of exactly bytesMax, and at one byte less refuses the last record", () => {
    fc.assert(
      fc.property(plainRecords(6), (records) => {
        const whole = encoderOf();
        expect(fill(whole, records)).toBe(records.length);
        const size = whole.byteLength;
        const payload = whole.finish();
        expect(payload.length).toBe(size);

        const at = encoderOf(size);
        expect(fill(at, records)).toBe(records.length);
        expect(at.finish()).toEqual(payload);

        const below = encoderOf(size - 1);
        expect(fill(below, records)).toBe(records.length - 1);
        expect(below.recordCount).toBe(records.length - 1);
        expect(below.byteLength).toBeLessThan(size);
      }),
      { numRuns: 300 },
    );
  });

  it("I-14: a refused record leaves no trace: the payload is that of the records before it", () => {
    fc.assert(
      fc.property(plainRecords(8), fc.double({ min: 0, max: 1, noNaN: true }), (records, share) => {
        const whole = encoderOf();
        fill(whole, records);
        const limited = encoderOf(Math.floor(whole.byteLength * share));
        const taken = fill(limited, records);
        const batch = recordBatchOf(records);
        const half = Math.ceil(records.length / 2);
        const expected = encoderOf();
        expected.begin();
        for (let row = 0; row < taken; row++) {
          if (row === 0) expected.partition("orders", 0);
          if (row === half) expected.partition("orders", 200);
          expect(expected.append(batch, row)).toBe(true);
        }
        expect(limited.recordCount).toBe(taken);
        if (taken > 0) expect(limited.finish()).toEqual(expected.finish());
      }),
    );
  });

  it("appends the selected rows alone", () => {
    fc.assert(
      fc.property(plainRecords(8), fc.array(fc.boolean()), (records, marks) => {
        const rows = records.flatMap((_, row) => (marks[row] ? [row] : []));
        const selected = encoderOf();
        selected.begin();
        selected.partition("orders", 3);
        const selection = Int32Array.from([99, ...rows]);
        const batch = recordBatchOf(records);
        expect(selected.appendRange(batch, selection, 1, selection.length)).toBe(rows.length);
        const alone = encoderOf();
        alone.begin();
        alone.partition("orders", 3);
        for (const row of rows) alone.append(batch, row);
        expect(selected.finish()).toEqual(alone.finish());
      }),
    );
  });

  it("returns payloads that later ones do not change", () => {
    const encoder = encoderOf();
    const small = recordBatchOf([plain(Buffer.alloc(50, 1))]);
    const payloads = [1, 2, 3].map((partition) => {
      encoder.begin();
      encoder.partition("orders", partition);
      encoder.append(small, 0);
      return encoder.finish();
    });
    const copies = payloads.map((payload) => Buffer.from(payload));
    encoder.begin();
    encoder.partition("other", 9);
    encoder.append(recordBatchOf([plain(Buffer.alloc(500, 2))]), 0);
    encoder.finish();
    expect(payloads).toEqual(copies);
  });
});

function plain(value: Buffer): PlainRecord {
  return { offset: 1n, timestampMs: 1, key: null, value, headers: [] };
}
