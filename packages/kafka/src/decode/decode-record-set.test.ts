import {
  COLUMN_HEADERS,
  COLUMNS,
  type RecordBatch,
  recordKey,
  recordOffset,
  recordValue,
} from "@penstock/core";
import { describe, expect, it } from "vitest";
import type { AbortedTransaction } from "./aborted-transactions.ts";
import { readBatchHeads } from "./batch-head.ts";
import { CountedMemory } from "./counted-memory.ts";
import { type DecodedRecordSet, decodeRecordSet, flatRowCount } from "./decode-record-set.ts";
import {
  type Codec,
  controlBatch,
  encodeRecordBatch,
  record,
  sign,
  varint,
} from "./testing/encode-record-batch.ts";

const CODECS: readonly Codec[] = ["none", "gzip", "snappy", "xerial", "lz4", "zstd"];

interface Given {
  readonly position?: bigint;
  readonly aborted?: readonly AbortedTransaction[];
  readonly highWatermark?: bigint;
  readonly inflatedBytesMax?: number;
  readonly countMemory?: (bytes: number) => void;
}

function decode(bytes: Buffer, given: Given = {}): DecodedRecordSet {
  const heads = readBatchHeads(bytes, 0, bytes.length);
  const countMemory = given.countMemory ?? (() => {});
  return decodeRecordSet(
    {
      buffer: bytes,
      heads,
      position: given.position ?? 0n,
      aborted: given.aborted ?? [],
      highWatermark: given.highWatermark ?? -1n,
      memory: new CountedMemory(bytes.length, flatRowCount(heads), countMemory),
    },
    { inflatedBytesMax: given.inflatedBytesMax ?? 1 << 20, countMemory },
  );
}

function offsets(decoded: DecodedRecordSet): number[] {
  return decoded.batches.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, row) => Number(recordOffset(batch, row))),
  );
}

function values(decoded: DecodedRecordSet): string[] {
  return decoded.batches.flatMap((batch) =>
    Array.from({ length: batch.count }, (_, row) => String(recordValue(batch, row))),
  );
}

function ranges(decoded: DecodedRecordSet): number[][] {
  return decoded.batches.map((b) => [Number(b.baseOffset), Number(b.nextOffset), b.count]);
}

describe("decodeRecordSet", () => {
  it.each(CODECS)("F21: reads batches compressed with %s", (codec) => {
    const records = [record(0, "a".repeat(3000)), record(1, "b"), record(2, null)];
    const decoded = decode(encodeRecordBatch({ baseOffset: 10n, records, codec }), {
      position: 10n,
    });
    expect(decoded.undecodable).toBeNull();
    expect(offsets(decoded)).toEqual([10, 11, 12]);
    expect(recordValue(decoded.batches[0] as RecordBatch, 0)?.length).toBe(3000);
    expect(recordValue(decoded.batches[0] as RecordBatch, 2)).toBeNull();
  });

  it("I-13: tells null from empty, keeps header order and duplicates", () => {
    const headers = [
      [Buffer.from("h"), Buffer.from("1")],
      [Buffer.from(""), null],
      [Buffer.from("h"), Buffer.alloc(0)],
    ] as const;
    const rows = [
      { offsetDelta: 0, timestampDelta: 5n, key: Buffer.alloc(0), value: null, headers },
      { offsetDelta: 1, timestampDelta: -7n, key: null, value: Buffer.alloc(0), headers: [] },
    ];
    const decoded = decode(
      encodeRecordBatch({ baseOffset: 0n, records: rows, baseTimestamp: 100n }),
    );
    const [batch] = decoded.batches as [RecordBatch];
    expect(recordKey(batch, 0)?.length).toBe(0);
    expect(recordKey(batch, 1)).toBeNull();
    expect(recordValue(batch, 0)).toBeNull();
    expect(recordValue(batch, 1)?.length).toBe(0);
    expect([...batch.timestamps]).toEqual([105, 93]);
    const at = batch.columns[COLUMN_HEADERS] as number;
    expect(batch.buffer.subarray(at, batch.columns[COLUMNS - 1]).toString("hex")).toBe(
      // count 3 · "h" "1" · "" null · "h" ""
      "06" + "02680231" + "0001" + "026800",
    );
  });

  it("gives every record the append time when the broker stamps them", () => {
    const rows = [
      { ...record(0), timestampDelta: 3n },
      { ...record(1), timestampDelta: 9n },
    ];
    const batch = { baseOffset: 0n, records: rows, baseTimestamp: 1n, maxTimestamp: 777n };
    const [decoded] = decode(encodeRecordBatch({ ...batch, attributes: 8 })).batches;
    expect(decoded?.timestampType).toBe("LOG_APPEND_TIME");
    expect([...(decoded?.timestamps ?? [])]).toEqual([777, 777]);
  });

  it("drops records before the position and covers from it", () => {
    for (const codec of CODECS) {
      const batch = encodeRecordBatch({
        baseOffset: 10n,
        records: [record(0), record(1), record(2)],
        codec,
      });
      const decoded = decode(batch, { position: 12n });
      expect(offsets(decoded)).toEqual([12]);
      expect(ranges(decoded)).toEqual([[12, 13, 1]]);
    }
  });

  it("merges uncompressed batches, and covers compaction gaps before, between and inside them", () => {
    const bytes = Buffer.concat([
      encodeRecordBatch({
        baseOffset: 5n,
        records: [record(1), record(4)],
        lastOffsetDelta: 6,
      }),
      encodeRecordBatch({ baseOffset: 20n, records: [record(0)] }),
    ]);
    const decoded = decode(bytes, { position: 2n });
    expect(offsets(decoded)).toEqual([6, 9, 20]);
    expect(ranges(decoded)).toEqual([[2, 21, 3]]);
    expect(decoded.nextOffset).toBe(21n);
  });

  it("F16: passes batches that compaction emptied, also at the end", () => {
    const empty = encodeRecordBatch({ baseOffset: 3n, records: [], lastOffsetDelta: 4 });
    expect(ranges(decode(empty, { position: 3n }))).toEqual([[3, 8, 0]]);
    const after = Buffer.concat([
      encodeRecordBatch({ baseOffset: 0n, records: [record(0)] }),
      empty,
    ]);
    expect(ranges(decode(after))).toEqual([
      [0, 1, 1],
      [1, 8, 0],
    ]);
  });

  it("covers a hole that is wider than offset deltas with a batch of its own", () => {
    const far = 1n << 40n;
    const decoded = decode(encodeRecordBatch({ baseOffset: far, records: [record(0)] }));
    expect(decoded.batches.map((b) => [b.baseOffset, b.nextOffset])).toEqual([
      [0n, far],
      [far, far + 1n],
    ]);
    expect(recordOffset(decoded.batches[1] as RecordBatch, 0)).toBe(far);
  });

  it("leaves a cut-off batch at the end for the next fetch", () => {
    const first = encodeRecordBatch({ baseOffset: 0n, records: [record(0)] });
    const second = encodeRecordBatch({ baseOffset: 1n, records: [record(0)] });
    for (let cut = 1; cut < second.length; cut++) {
      const decoded = decode(Buffer.concat([first, second.subarray(0, cut)]));
      expect(decoded.undecodable).toBeNull();
      expect(decoded.nextOffset).toBe(1n);
    }
  });

  describe("read_committed (F17)", () => {
    const inTransaction = (offset: bigint, producerId: bigint, value: string) =>
      encodeRecordBatch({
        baseOffset: offset,
        records: [record(0, value)],
        producerId,
        attributes: 16,
      });

    it("never gives aborted records, and passes their offsets and the markers", () => {
      const bytes = Buffer.concat([
        inTransaction(0n, 1n, "committed"),
        controlBatch(1n, 1n, 1),
        inTransaction(2n, 1n, "aborted"),
        inTransaction(3n, 2n, "other"),
        controlBatch(4n, 1n, 0),
        inTransaction(5n, 1n, "again"),
        controlBatch(6n, 1n, 1),
        inTransaction(7n, 1n, "aborted later"),
        controlBatch(8n, 1n, 0),
      ]);
      const aborted = [
        { producerId: 1n, firstOffset: 7n },
        { producerId: 1n, firstOffset: 2n },
      ];
      const decoded = decode(bytes, { aborted });
      expect(values(decoded)).toEqual(["committed", "other", "again"]);
      expect(decoded.nextOffset).toBe(9n);
    });

    it("needs no marker inside the response", () => {
      const bytes = Buffer.concat([inTransaction(0n, 1n, "x"), inTransaction(1n, 1n, "y")]);
      const decoded = decode(bytes, { aborted: [{ producerId: 1n, firstOffset: 0n }] });
      expect(ranges(decoded)).toEqual([[0, 2, 0]]);
    });

    it("knows a transaction that began before the position", () => {
      const bytes = Buffer.concat([inTransaction(5n, 1n, "x"), controlBatch(6n, 1n, 0)]);
      const aborted = [{ producerId: 1n, firstOffset: 3n }];
      expect(ranges(decode(bytes, { position: 5n, aborted }))).toEqual([[5, 7, 0]]);
    });

    it("keeps plain records of a producer whose transaction was aborted", () => {
      const plain = encodeRecordBatch({
        baseOffset: 1n,
        records: [record(0, "p")],
        producerId: 1n,
      });
      const bytes = Buffer.concat([inTransaction(0n, 1n, "x"), plain]);
      const aborted = [{ producerId: 1n, firstOffset: 0n }];
      expect(values(decode(bytes, { aborted }))).toEqual(["p"]);
    });
  });

  describe("what can't be decoded", () => {
    const good = encodeRecordBatch({ baseOffset: 0n, records: [record(0, "first")] });
    const after = (bad: Buffer, given: Given = {}) => decode(Buffer.concat([good, bad]), given);

    it("F10: a flipped bit is reported with its range, after the records before it", () => {
      const bad = encodeRecordBatch({ baseOffset: 1n, records: [record(0, "x"), record(1, "y")] });
      bad[70] = (bad[70] as number) ^ 4;
      const decoded = after(bad);
      expect(values(decoded)).toEqual(["first"]);
      expect(decoded.undecodable).toMatchObject({ from: 1n, to: 3n, isTransient: true });
    });

    it("F10: a damaged last offset doesn't take the following batches along", () => {
      const bad = encodeRecordBatch({ baseOffset: 1n, records: [record(0)] });
      bad[24] = 0xff;
      const next = encodeRecordBatch({ baseOffset: 2n, records: [record(0)] });
      expect(after(Buffer.concat([bad, next])).undecodable).toMatchObject({ from: 1n, to: 2n });
      expect(after(bad, { highWatermark: 9n }).undecodable).toMatchObject({ from: 1n, to: 9n });
    });

    it("F21: an unknown codec", () => {
      const bad = encodeRecordBatch({ baseOffset: 1n, records: [record(0)], attributes: 5 });
      expect(after(bad).undecodable).toEqual({
        from: 1n,
        to: 2n,
        reason: "unknown compression codec 5",
        isTransient: false,
      });
    });

    it.each(CODECS.slice(1))("F91: a bomb in %s stops at the cap", (codec) => {
      const bomb = encodeRecordBatch({
        baseOffset: 1n,
        records: [record(0, Buffer.alloc(8_000_000))],
        codec,
      });
      const held: number[] = [];
      const { undecodable } = after(bomb, { countMemory: (bytes) => held.push(bytes) });
      expect(undecodable?.reason).toBe("inflates to more than 1048576 bytes");
      expect(Math.max(...held)).toBeLessThan(1_000_000);
    });

    it.each(CODECS.slice(1))("takes what inflates exactly to the cap with %s", (codec) => {
      const one = record(0, Buffer.alloc(4000, "ab"));
      const plain = encodeRecordBatch({ baseOffset: 0n, records: [one] }).length - 61;
      const bytes = encodeRecordBatch({ baseOffset: 0n, records: [one], codec });
      expect(decode(bytes, { inflatedBytesMax: plain }).undecodable).toBeNull();
      expect(decode(bytes, { inflatedBytesMax: plain - 1 }).undecodable).not.toBeNull();
    });

    it("F11: negative and huge lengths, wrong counts, offsets out of order", () => {
      const one = Buffer.from([14, 0, 0, 0, 1, 2, 120, 0]);
      const cases: [string, Buffer, object?][] = [
        ["record length out of bounds", Buffer.from([1, 0, 0, 0, 0, 0, 0])],
        ["record length out of bounds", Buffer.concat([varint(2n ** 31n - 1n), one])],
        ["record length out of bounds", Buffer.from([128, 128, 128, 128, 128, 128, 0, 0])],
        ["key length out of bounds", Buffer.from([14, 0, 0, 0, 3, 2, 120, 0])],
        ["key length out of bounds", Buffer.from([14, 0, 0, 0, 126, 2, 120, 0])],
        ["value length out of bounds", Buffer.from([14, 0, 0, 0, 1, 126, 120, 0])],
        ["header lengths out of bounds", Buffer.from([14, 0, 0, 0, 1, 2, 120, 2])],
        ["header lengths out of bounds", Buffer.from([14, 0, 0, 0, 1, 2, 120, 1])],
        ["record longer than its fields", Buffer.from([16, 0, 0, 0, 1, 2, 120, 0, 0])],
        ["record offset out of order", Buffer.from([14, 0, 0, 2, 1, 2, 120, 0])],
        ["record offset out of order", Buffer.from([14, 0, 0, 1, 1, 2, 120, 0])],
        ["bytes left over after the last record", Buffer.concat([one, one])],
        ["record offset out of order", Buffer.concat([one, one]), { count: 2, lastOffsetDelta: 1 }],
      ];
      for (const [reason, body, more] of cases) {
        const bad = encodeRecordBatch({ baseOffset: 1n, records: [record(0)], body, ...more });
        expect(after(bad).undecodable?.reason).toBe(reason);
      }
      const counted = encodeRecordBatch({
        baseOffset: 1n,
        records: [record(0)],
        count: 2 ** 30,
        lastOffsetDelta: 2 ** 30,
      });
      expect(after(counted).undecodable?.reason).toBe("record count out of bounds");
      const packed = encodeRecordBatch({
        baseOffset: 1n,
        records: [record(0)],
        codec: "gzip",
        count: 2 ** 30,
        lastOffsetDelta: 2 ** 30,
      });
      expect(after(packed).undecodable?.reason).toBe("record count out of bounds");
    });

    it("F90: ten thousand headers", () => {
      const headers = Array.from(
        { length: 10_000 },
        (_, i) => [Buffer.from(`h${i}`), null] as const,
      );
      const bytes = encodeRecordBatch({ baseOffset: 0n, records: [{ ...record(0), headers }] });
      expect(offsets(decode(bytes))).toEqual([0]);
    });

    it("a batch that goes back in offsets, one with a senseless length, one alone and incomplete", () => {
      expect(
        after(encodeRecordBatch({ baseOffset: 0n, records: [record(0)] })).undecodable,
      ).toEqual({
        from: 1n,
        to: 2n,
        reason: "batch offset out of order",
        isTransient: true,
      });
      const short = Buffer.from(good);
      short.writeInt32BE(-5, 8);
      expect(decode(short).undecodable?.reason).toBe("batch length out of bounds");
      expect(decode(good.subarray(0, 40)).undecodable?.reason).toBe("batch is incomplete");
    });

    it("a control batch without a readable type", () => {
      const bad = controlBatch(1n, 1n, 0);
      bad.writeInt8(1, 65);
      expect(after(sign(bad)).undecodable).not.toBeNull();
    });
  });

  describe("memory (I-15)", () => {
    it("counts a buffer while a batch of it lives, and nothing for a response that nobody keeps", () => {
      let alive = 0;
      const countMemory = (bytes: number) => {
        alive += bytes;
      };
      const flat = encodeRecordBatch({ baseOffset: 0n, records: [record(0)] });
      const packed = encodeRecordBatch({ baseOffset: 1n, records: [record(0)], codec: "lz4" });
      const { batches } = decode(Buffer.concat([flat, packed, flat.subarray(0, 0)]), {
        countMemory,
      });
      expect(batches).toHaveLength(2);
      expect(alive).toBeGreaterThan(flat.length + packed.length);
      for (const batch of batches) batch.memory.release();
      expect(alive).toBe(0);
      decode(controlBatch(0n, 1n, 1), { countMemory: () => expect.unreachable() });
    });
  });
});
