import {
  HeaderCursor,
  type RecordBatch,
  recordKey,
  recordOffset,
  recordValue,
} from "@penstock/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readBatchHeads } from "../batch-head.ts";
import { CountedMemory } from "../counted-memory.ts";
import { type DecodedRecordSet, decodeRecordSet, flatRowCount } from "../decode-record-set.ts";
import {
  encodeMessage,
  encodeWrapper,
  signMessage,
  type TestMessage,
} from "../testing/encode-message-set.ts";
import { type Codec, compress, encodeRecordBatch, record } from "../testing/encode-record-batch.ts";

const CODECS: readonly Codec[] = ["gzip", "snappy", "xerial", "lz4"];
const FORMATS = [0, 1] as const;

function decode(
  bytes: Buffer,
  position = 0n,
  inflatedBytesMax = 1 << 20,
  countMemory: (bytes: number) => void = () => {},
): DecodedRecordSet {
  const heads = readBatchHeads(bytes, 0, bytes.length);
  const memory = new CountedMemory(bytes.length, flatRowCount(heads), countMemory);
  const set = { buffer: bytes, heads, position, aborted: [], highWatermark: -1n, memory };
  return decodeRecordSet(set, { inflatedBytesMax, countMemory });
}

interface Row {
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: string | null;
  readonly timestamp: number;
}

/** The rows of batches that follow each other without a hole. */
function rows({ batches }: DecodedRecordSet, position = 0n): Row[] {
  const all: Row[] = [];
  let expected = position;
  for (const batch of batches) {
    expect(batch.baseOffset).toBe(expected);
    expected = batch.nextOffset;
    for (let row = 0; row < batch.count; row++) all.push(rowOf(batch, row));
  }
  return all;
}

function rowOf(batch: RecordBatch, row: number): Row {
  const cursor = new HeaderCursor();
  cursor.open(batch, row);
  expect(cursor.count).toBe(0);
  expect(cursor.next()).toBe(false);
  return {
    offset: recordOffset(batch, row),
    key: recordKey(batch, row)?.toString() ?? null,
    value: recordValue(batch, row)?.toString() ?? null,
    timestamp: batch.timestamps[row] as number,
  };
}

function expected(format: 0 | 1, messages: readonly TestMessage[], position = 0n): Row[] {
  return messages
    .filter(({ offset }) => offset >= position)
    .map(({ offset, key = null, value = Buffer.from("v"), timestamp = 0n }) => ({
      offset,
      key: key?.toString() ?? null,
      value: value?.toString() ?? null,
      timestamp: format === 0 ? -1 : Number(timestamp),
    }));
}

const THREE: readonly TestMessage[] = [
  { offset: 5n, key: Buffer.from("k"), value: Buffer.from("one"), timestamp: 1_000n },
  { offset: 6n, key: Buffer.alloc(0), value: null, timestamp: 900n },
  { offset: 9n, key: null, value: Buffer.alloc(0), timestamp: -1n },
];

describe("messages of formats 0 and 1", () => {
  it.each(FORMATS)(
    "I-13: format %i, not compressed: key, value, null and empty, time",
    (format) => {
      const bytes = Buffer.concat(THREE.map((one) => encodeMessage(format, one)));
      const decoded = decode(bytes);
      expect(decoded.undecodable).toBeNull();
      expect(rows(decoded)).toEqual(expected(format, THREE));
      expect(decoded.batches.at(-1)?.timestampType).toBe(
        format === 0 ? "NO_TIMESTAMP_TYPE" : "CREATE_TIME",
      );
      expect(decoded.nextOffset).toBe(10n);
    },
  );

  it.each(FORMATS)("I-13, F21: format %i in wrappers of all codecs", (format) => {
    for (const codec of CODECS) {
      const bytes = encodeWrapper(format, { codec, messages: THREE });
      const decoded = decode(bytes);
      expect(decoded.undecodable, codec).toBeNull();
      expect(rows(decoded)).toEqual(expected(format, THREE));
      expect(decoded.nextOffset).toBe(10n);
    }
  });

  it("starts inside of a wrapper, and says what comes before it was covered", () => {
    for (const format of FORMATS) {
      const bytes = encodeWrapper(format, { codec: "gzip", messages: THREE });
      expect(rows(decode(bytes, 6n), 6n)).toEqual(expected(format, THREE, 6n));
      expect(rows(decode(bytes, 8n), 8n)).toEqual(expected(format, THREE, 8n));
      expect(decode(bytes, 10n).batches).toEqual([]);
    }
  });

  it("F16: what compaction left of a wrapper keeps its offsets", () => {
    const kept = THREE.slice(1);
    const inner = kept.map((one) => encodeMessage(1, { ...one, offset: one.offset - 5n }));
    const bytes = encodeWrapper(1, { codec: "lz4", messages: kept, inner: Buffer.concat(inner) });
    expect(rows(decode(bytes))).toEqual(expected(1, kept));
  });

  it("F24: the time that a broker gave is that of all messages in a wrapper", () => {
    const wrapper = { codec: "gzip", messages: THREE, logAppendTime: 77n } as const;
    const { batches } = decode(encodeWrapper(1, wrapper));
    expect([...(batches[0]?.timestamps ?? [])]).toEqual([77, 77, 77]);
    expect(batches[0]?.timestampType).toBe("LOG_APPEND_TIME");
    const flat = encodeMessage(1, { offset: 0n, timestamp: 78n, attributes: 8 });
    expect(decode(flat).batches[0]?.timestampType).toBe("LOG_APPEND_TIME");
  });

  it("formats follow each other in one answer, as after an upgrade", () => {
    const bytes = Buffer.concat([
      encodeMessage(0, { offset: 0n, value: Buffer.from("a") }),
      encodeWrapper(0, { codec: "snappy", messages: [{ offset: 1n }, { offset: 2n }] }),
      encodeMessage(1, { offset: 3n, value: Buffer.from("b") }),
      encodeWrapper(1, { codec: "gzip", messages: [{ offset: 4n }, { offset: 7n }] }),
      encodeRecordBatch({ baseOffset: 8n, records: [record(0, "c"), record(1, "d")] }),
      encodeMessage(1, { offset: 10n }).subarray(0, 20),
    ]);
    const decoded = decode(bytes);
    expect(decoded.undecodable).toBeNull();
    expect(rows(decoded).map(({ offset }) => Number(offset))).toEqual([0, 1, 2, 3, 4, 7, 8, 9]);
  });

  it("a hole wider than an offset delta lies between two batches", () => {
    const far = 2n ** 40n;
    const messages = [{ offset: far }, { offset: far + 1n }];
    for (const bytes of [
      encodeWrapper(1, { codec: "gzip", messages }),
      Buffer.concat(messages.map((one) => encodeMessage(1, one))),
    ])
      expect(rows(decode(bytes)).map(({ offset }) => offset)).toEqual([far, far + 1n]);
  });

  it("I-15: counts inflated bytes while a batch of them lives", () => {
    let alive = 0;
    const bytes = encodeWrapper(1, { codec: "gzip", messages: THREE });
    const { batches } = decode(bytes, 0n, 1 << 20, (change) => {
      alive += change;
    });
    expect(alive).toBeGreaterThan(0);
    for (const { memory } of batches) memory.release();
    expect(alive).toBe(0);
  });
});

describe("messages that can't be given", () => {
  const good = encodeMessage(1, { offset: 0n });
  const after = (bad: Buffer) => decode(Buffer.concat([good, bad])).undecodable;
  const wrapped = (inner: Buffer) =>
    after(encodeWrapper(1, { codec: "gzip", messages: [{ offset: 3n }], inner }));

  it("F10: damaged bytes are reported, outside and inside of a wrapper", () => {
    const bad = encodeMessage(1, { offset: 1n });
    bad[bad.length - 1] = 1;
    const damaged = { from: 1n, to: 2n, reason: "checksum does not match", isTransient: true };
    expect(after(bad)).toEqual(damaged);
    expect(wrapped(bad)?.reason).toBe("checksum of a message in a wrapper does not match");
  });

  it("F11, F90: lengths and offsets that can't be", () => {
    const changed = (at: number, value: number) => {
      const bytes = encodeMessage(1, { offset: 1n });
      bytes.writeInt32BE(value, at);
      return signMessage(bytes);
    };
    expect(after(changed(26, 2 ** 30))?.reason).toBe("key length out of bounds");
    expect(after(changed(26, -2))?.reason).toBe("key length out of bounds");
    expect(after(changed(30, 2))?.reason).toBe("value length out of bounds");
    expect(after(changed(8, 3))?.reason).toBe("message size out of bounds");
    expect(after(changed(8, -3))?.reason).toBe("message size out of bounds");
    expect(after(encodeMessage(1, { offset: 2n ** 60n }))?.reason).toBe(
      "message offset out of bounds",
    );
    expect(after(good)?.reason).toBe("batch offset out of order");
  });

  it("a wrapper of something else than sound messages of its format", () => {
    const message = encodeMessage(1, { offset: 0n });
    expect(wrapped(Buffer.alloc(0))?.reason).toBe("wrapper without messages");
    expect(wrapped(message.subarray(0, 30))?.reason).toBe("message in a wrapper is incomplete");
    expect(wrapped(encodeMessage(0, { offset: 0n }))?.reason).toBe(
      "message of another format in a wrapper",
    );
    const wrapper = encodeWrapper(1, { codec: "gzip", messages: [{ offset: 0n }] });
    expect(wrapped(wrapper)?.reason).toBe("wrapper in a wrapper");
    const wide = [0n, 9n].map((offset) => encodeMessage(1, { offset }));
    expect(wrapped(Buffer.concat(wide))?.reason).toBe(
      "offsets of the messages in a wrapper out of order",
    );
    expect(after(encodeMessage(1, { offset: 3n, value: null, attributes: 1 }))?.reason).toBe(
      "value length out of bounds",
    );
  });

  it("F91: a bomb is not inflated", () => {
    const value = compress("gzip", Buffer.alloc(1 << 20));
    const bytes = encodeMessage(1, { offset: 4n, value, attributes: 1 });
    expect(decode(bytes, 2n, 1000).undecodable).toEqual({
      from: 2n,
      to: 5n,
      reason: "inflates to more than 1000 bytes",
      isTransient: false,
    });
  });

  it("F11: changed and cut bytes give rows within bounds or an end, and nothing else", () => {
    const anyMessages = fc.array(fc.uint8Array({ maxLength: 20 }), { minLength: 1, maxLength: 5 });
    fc.assert(
      fc.property(
        anyMessages,
        fc.constantFrom(...FORMATS),
        fc.constantFrom<Codec>("none", "gzip", "lz4"),
        fc.array(fc.tuple(fc.nat(), fc.nat(255)), { maxLength: 3 }),
        fc.boolean(),
        (payloads, format, codec, flips, isSigned) => {
          const messages = payloads.map((value, i) => ({
            offset: BigInt(i),
            value: Buffer.from(value),
          }));
          const inner = Buffer.concat(
            messages.map((message) => {
              const bytes = encodeMessage(format, message);
              for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
              return isSigned ? signMessage(bytes) : bytes;
            }),
          );
          const bytes =
            codec === "none" ? inner : encodeWrapper(format, { codec, messages, inner });
          for (const batch of decode(bytes).batches)
            for (let row = 0; row < batch.count; row++) {
              expect(recordOffset(batch, row)).toBeLessThan(batch.nextOffset);
              expect(recordValue(batch, row)?.length ?? 0).toBeLessThanOrEqual(bytes.length + 1000);
            }
        },
      ),
      { numRuns: 1000 },
    );
  });
});
