import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { createHandleRequestEncoder } from "@penstock/core";
import { fn } from "@penstock/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainRecords } from "../../../packages/core/src/records/plain-record-arbitrary.ts";
import {
  type PlainRecord,
  recordBatchOf,
} from "../../../packages/core/src/records/record-batch-of.ts";

const ANY_SIZE = 64 * 1024 * 1024;

interface Group {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly PlainRecord[];
}

const groups: fc.Arbitrary<Group[]> = fc.array(
  fc.record({
    topic: fc.constantFrom("orders", "o".repeat(249)),
    partition: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 2 ** 31 - 1 })),
    records: plainRecords(),
  }),
  { minLength: 1, maxLength: 4 },
);

const bootstrapServers = fc.array(fc.constantFrom("a:1", "b-2.example:9092"), { maxLength: 3 });

describe("the HandleRequest encoder against protobuf-es", () => {
  it("I-13, F90: writes byte for byte what the library writes, which reads back the same", () => {
    fc.assert(
      fc.property(groups, bootstrapServers, (list, servers) => {
        const message = messageOf(list, servers);
        const payload = encode(list, servers);
        expect(payload).toEqual(Buffer.from(toBinary(fn.HandleRequestSchema, message)));
        expect(fromBinary(fn.HandleRequestSchema, Uint8Array.from(payload))).toEqual(message);
      }),
      { numRuns: 500 },
    );
  });

  it("I-13: a value of each length around the steps of a varint", () => {
    for (const length of [0, 1, 126, 127, 128, 129, 16_382, 16_383, 16_384, 16_385, 2_097_152]) {
      const value = Buffer.alloc(length, 7);
      const header = { key: Buffer.alloc(length, 97), value };
      const record = { offset: 1n, timestampMs: 1, key: value, value, headers: [header] };
      const list = [{ topic: "t", partition: 0, records: [record] }];
      const expected = toBinary(fn.HandleRequestSchema, messageOf(list, ["a:1"]));
      expect(encode(list, ["a:1"]).equals(expected)).toBe(true);
    }
  });
});

function encode(list: readonly Group[], servers: readonly string[]): Buffer {
  const encoder = createHandleRequestEncoder({ bootstrapServers: servers, bytesMax: ANY_SIZE });
  encoder.begin();
  for (const { topic, partition, records } of list) {
    encoder.partition(topic, partition);
    const batch = recordBatchOf(records);
    expect(encoder.appendRange(batch, null, 0, batch.count)).toBe(batch.count);
  }
  return encoder.finish();
}

function messageOf(list: readonly Group[], servers: readonly string[]): fn.HandleRequest {
  return create(fn.HandleRequestSchema, {
    bootstrapServers: servers.join(","),
    partitions: list.map(({ topic, partition, records }) => ({
      topic,
      partition,
      records: records.map(({ offset, timestampMs, key, value, headers }) => ({
        offset,
        timestampMs: BigInt(timestampMs),
        timestampType: fn.TimestampType.CREATE_TIME,
        ...(key === null ? {} : { key: bytes(key) }),
        ...(value === null ? {} : { value: bytes(value) }),
        headers: headers.map((header) => ({
          key: header.key.toString("utf8"),
          ...(header.value === null ? {} : { value: bytes(header.value) }),
        })),
      })),
    })),
  });
}

function bytes(buffer: Buffer): Uint8Array<ArrayBuffer> {
  return Uint8Array.from(buffer);
}
