import type { SelfManagedKafkaEvent } from "aws-lambda";
import fc from "fast-check";
import { describe, expect, expectTypeOf, it } from "vitest";
import { plainRecords } from "../records/plain-record-arbitrary.ts";
import type { TimestampType } from "../records/record-batch.ts";
import { type PlainRecord, recordBatchOf } from "../records/record-batch-of.ts";
import type { BatchEncoder } from "./batch-encoder.ts";
import { createLambdaEventEncoder } from "./lambda-event-encoder.ts";

const BOOTSTRAP_SERVERS = ["b-2.example:9092", "b-1.example:9092"];
const ANY_SIZE = 64 * 1024 * 1024;

interface Group {
  readonly topic: string;
  readonly partition: number;
  readonly records: readonly PlainRecord[];
  readonly timestampType?: TimestampType;
}

function encoderOf(bytesMax = ANY_SIZE): BatchEncoder {
  return createLambdaEventEncoder({ bootstrapServers: BOOTSTRAP_SERVERS, bytesMax });
}

function encode(encoder: BatchEncoder, groups: readonly Group[]): Buffer {
  encoder.begin();
  for (const { topic, partition, records, timestampType } of groups) {
    encoder.partition(topic, partition);
    const batch = recordBatchOf(records, timestampType);
    expect(encoder.appendRange(batch, null, 0, batch.count)).toBe(batch.count);
  }
  return encoder.finish();
}

/** One member whose name is data: `__proto__` must become a member too. */
function member(name: string, value: unknown): object {
  return Object.defineProperty({}, name, { value, enumerable: true });
}

/** The event as an object, written from the AWS documentation. */
function eventOf(groups: readonly Group[]): object {
  const lists = groups.map(({ topic, partition, records, timestampType }) => [
    `${topic}-${partition}`,
    records.map((record) => ({
      topic,
      partition,
      offset: (JSON as unknown as { rawJSON(text: string): object }).rawJSON(`${record.offset}`),
      timestamp: record.timestampMs,
      timestampType: timestampType ?? "CREATE_TIME",
      key: record.key?.toString("base64"),
      value: record.value?.toString("base64"),
      headers: record.headers.map(({ key, value }) =>
        member(key.toString("utf8"), value === null ? null : [...new Int8Array(value)]),
      ),
    })),
  ]);
  return {
    eventSource: "SelfManagedKafka",
    bootstrapServers: BOOTSTRAP_SERVERS.join(","),
    records: Object.fromEntries(lists),
  };
}

const record = (part: Partial<PlainRecord> = {}): PlainRecord => ({
  offset: 15n,
  timestampMs: 1545084650987,
  key: null,
  value: null,
  headers: [],
  ...part,
});

const groups = fc.uniqueArray(
  fc.record({
    topic: fc.constantFrom("orders", "a.b_c-1", "__proto__", "7"),
    partition: fc.integer({ min: 0, max: 100_000 }),
    records: plainRecords(),
    timestampType: fc.constantFrom<TimestampType>("CREATE_TIME", "LOG_APPEND_TIME"),
  }),
  { minLength: 1, maxLength: 4, selector: ({ topic, partition }) => `${topic}-${partition}` },
);

describe("the Lambda event encoder", () => {
  it("writes the event of the AWS documentation byte for byte", () => {
    const records = [
      record({
        key: Buffer.from("recordKey"),
        value: Buffer.from('{"key":"value"}'),
        headers: [{ key: Buffer.from("headerKey"), value: Buffer.from([118, 220, 0, 127, 128]) }],
      }),
    ];
    expect(encode(encoderOf(), [{ topic: "mytopic", partition: 0, records }]).toString()).toBe(
      '{"eventSource":"SelfManagedKafka","bootstrapServers":"b-2.example:9092,b-1.example:9092",' +
        '"records":{"mytopic-0":[{"topic":"mytopic","partition":0,"offset":15,' +
        '"timestamp":1545084650987,"timestampType":"CREATE_TIME","key":"cmVjb3JkS2V5",' +
        '"value":"eyJrZXkiOiJ2YWx1ZSJ9","headers":[{"headerKey":[118,-36,0,127,-128]}]}]}}',
    );
  });

  it("I-13, F90: equals JSON.stringify of the event object, for any records", () => {
    const encoder = encoderOf();
    fc.assert(
      fc.property(groups, (list) => {
        expect(encode(encoder, list).toString("utf8")).toBe(JSON.stringify(eventOf(list)));
      }),
      { numRuns: 500 },
    );
  });

  it("I-13: leaves out a null key and value, and keeps empty ones", () => {
    const empty = record({ key: Buffer.alloc(0), value: Buffer.alloc(0) });
    const payload = encode(encoderOf(), [
      { topic: "t", partition: 0, records: [record(), { ...empty, offset: 16n }] },
    ]);
    const [first, second] =
      (JSON.parse(payload.toString()) as SelfManagedKafkaEvent).records["t-0"] ?? [];
    expect(first).not.toHaveProperty("key");
    expect(first).not.toHaveProperty("value");
    expect(second).toMatchObject({ key: "", value: "", headers: [] });
  });

  it("I-13: writes a null header value as null, which is not an empty one", () => {
    const name = Buffer.from("h");
    const headers = [
      { key: name, value: null },
      { key: name, value: Buffer.alloc(0) },
    ];
    const payload = encode(encoderOf(), [
      { topic: "t", partition: 0, records: [record({ headers })] },
    ]);
    expect(payload.toString()).toContain('"headers":[{"h":null},{"h":[]}]}]}}');
  });

  it("I-13: writes offsets above 2^53 digit for digit", () => {
    const records = [2n ** 53n - 1n, 2n ** 53n + 1n, 2n ** 53n + 3n].map((offset) =>
      record({ offset }),
    );
    const text = encode(encoderOf(), [{ topic: "t", partition: 0, records }]).toString();
    expect([...text.matchAll(/"offset":(\d+)/g)].map((match) => match[1])).toEqual([
      "9007199254740991",
      "9007199254740993",
      "9007199254740995",
    ]);
  });

  it("F90: writes 10 000 headers, with values of every byte", () => {
    const value = Buffer.from(Uint8Array.from({ length: 256 }, (_, byte) => byte));
    const headers = Array.from({ length: 10_000 }, (_, index) => ({
      key: Buffer.from([index % 256, index % 7]),
      value,
    }));
    const group = { topic: "t", partition: 0, records: [record({ headers })] };
    expect(encode(encoderOf(), [group]).toString("utf8")).toBe(JSON.stringify(eventOf([group])));
  });

  it("has the shape that @types/aws-lambda gives to the event", () => {
    expectTypeOf<{
      eventSource: "SelfManagedKafka";
      bootstrapServers: string;
      records: { [key: string]: WrittenRecords["records"] };
    }>().toExtend<SelfManagedKafkaEvent>();
  });
});

/** A record of the event, as written, with key and value present. */
interface WrittenRecords {
  records: {
    topic: string;
    partition: number;
    offset: number;
    timestamp: number;
    timestampType: "CREATE_TIME" | "LOG_APPEND_TIME";
    key: string;
    value: string;
    headers: { [name: string]: number[] }[];
  }[];
}
