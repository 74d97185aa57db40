import { type Assignment, type RecordBatch, recordOffset } from "@penstock/core";
import { afterEach, describe, expect, it } from "vitest";
import { encodeRecordBatch, type TestBatch } from "../../decode/testing/encode-record-batch.ts";
import { encodeFetchAnswer, type TestPartition } from "../testing/encode-fetch-answer.ts";
import { FakeBrokers, type SeenRequest } from "../testing/fake-brokers.ts";
import { KafkajsFetcher } from "./kafkajs-fetcher.ts";

const [ONE, TWO]: [Assignment, Assignment] = [0, 1].map((partition) => ({
  topic: "orders",
  topicId: "0f3d2c1b-0000-4000-8000-00000000000a",
  partition,
  epoch: 1,
})) as [Assignment, Assignment];

function batch(baseOffset: bigint, count: number, rest: Partial<TestBatch> = {}): Buffer {
  const records = Array.from({ length: count }, (_, offsetDelta) => ({
    ...{ offsetDelta, timestampDelta: 0n, key: null, headers: [] },
    value: Buffer.from("v"),
  }));
  return encodeRecordBatch({ baseOffset, records, ...rest });
}

class Bench {
  readonly brokers = new FakeBrokers();
  readonly said: unknown[][] = [];
  readonly offsets: bigint[] = [];
  bytesHeld = 0;
  version = 11;
  readonly fetcher = new KafkajsFetcher(
    {
      client: this.brokers,
      clock: { nowMs: () => performance.now(), wallMs: () => Date.now() },
      maxWaitMs: 1,
      fetchBytesMax: 1 << 20,
      fetchPartitionBytesMax: 1 << 16,
      inflatedBytesMax: 1 << 20,
      countMemory: (bytes) => {
        this.bytesHeld += bytes;
      },
    },
    {
      records: (key, batches) => this.#records(key, batches),
      logEnds: () => {},
      responseEnd: () => {},
      outOfRange: (key, ...rest) => this.said.push(["outOfRange", key.partition, ...rest]),
      undecodable: (key, ...rest) => this.said.push(["undecodable", key.partition, ...rest]),
      problem: (problem) => this.said.push(["problem", problem?.code ?? null]),
    },
  );

  #records(key: Assignment, batches: readonly RecordBatch[]): void {
    for (const one of batches) {
      for (let row = 0; row < one.count; row++) this.offsets.push(recordOffset(one, row));
      this.said.push(["records", key.partition, one.baseOffset, one.nextOffset, one.count]);
      one.memory.release();
    }
  }

  /** Answers the next fetch, and gives what was asked for: partition → position. */
  async answer(...rows: TestPartition[]): Promise<Map<number, number>> {
    const request = await this.brokers.next();
    this.brokers.fetchVersion = this.version;
    request.answer(encodeFetchAnswer(this.version, rows));
    return askedOf(request);
  }
}

function askedOf({ args }: SeenRequest): Map<number, number> {
  const topics = args.topics as { partitions: { partition: number; fetchOffset: string }[] }[];
  return new Map(topics[0]?.partitions.map((row) => [row.partition, Number(row.fetchOffset)]));
}

describe("KafkajsFetcher", () => {
  let bench: Bench;
  const open = () => {
    bench = new Bench();
    return bench;
  };
  afterEach(() => bench.fetcher.close());

  it("gives records from the position on, and asks on behind the last batch", async () => {
    open().fetcher.set(ONE, 5n);
    await bench.answer({ partition: 0, highWatermark: 8n, records: batch(3n, 5) });
    expect(await bench.answer()).toEqual(new Map([[0, 8]]));
    expect(bench.offsets).toEqual([5n, 6n, 7n]);
    expect(bench.bytesHeld).toBe(0);
  });

  it("K-4: a batch without a record, which compaction leaves, is passed", async () => {
    open().fetcher.set(ONE, 0n);
    const empty = encodeRecordBatch({ baseOffset: 0n, records: [], lastOffsetDelta: 9 });
    await bench.answer({ partition: 0, highWatermark: 10n, records: empty });
    expect(await bench.answer()).toEqual(new Map([[0, 10]]));
    expect(bench.said).toEqual([["records", 0, 0n, 10n, 0]]);
  });

  it("K-4, F16: a hole up to the last stable offset is passed after two empty answers; an open transaction isn't", async () => {
    open().fetcher.set(ONE, 4n);
    bench.fetcher.set(TWO, 4n);
    const hole = { partition: 0, highWatermark: 9n, lastStableOffset: 9n };
    const open1 = { partition: 1, highWatermark: 9n, lastStableOffset: 4n };
    for (let i = 0; i < 3; i++) await bench.answer(hole, open1);
    expect(await bench.answer(hole, open1)).toEqual(
      new Map([
        [0, 9],
        [1, 4],
      ]),
    );
    expect(bench.said).toEqual([["records", 0, 4n, 9n, 0]]);
  });

  it("K-7, F10: damaged bytes are read again, and told when they stay damaged", async () => {
    open().fetcher.set(ONE, 0n);
    const damaged = batch(0n, 2);
    damaged[70] = (damaged[70] as number) ^ 1;
    const row = { partition: 0, highWatermark: 2n, records: damaged };
    await bench.answer(row);
    await bench.answer({ ...row, records: batch(0n, 2) });
    const third = await bench.brokers.next();
    expect(bench.offsets).toEqual([0n, 1n]);
    bench.fetcher.set(ONE, 0n);
    third.answer(encodeFetchAnswer(11, []));
    for (let reads = 0; reads < 3; reads++) await bench.answer(row);
    bench.fetcher.set(TWO, 0n);
    expect(await bench.answer()).toEqual(new Map([[1, 0]]));
    const told = bench.said.find(([what]) => what === "undecodable");
    expect(told).toEqual(["undecodable", 0, 0n, 2n, "checksum does not match"]);
    expect(bench.offsets).toEqual([0n, 1n]);
  });

  it("K-8: more records of one partition in one answer than a call has room for arguments", async () => {
    open().fetcher.set(ONE, 0n);
    const count = 130_000;
    await bench.answer({ partition: 0, highWatermark: 130_000n, records: batch(0n, count) });
    expect(await bench.answer()).toEqual(new Map([[0, count]]));
    expect(bench.offsets.length).toBe(count);
  });

  it("K-9, F02: a leader that moved is looked up again, for its partition alone", async () => {
    open().fetcher.set(ONE, 0n);
    bench.fetcher.set(TWO, 0n);
    const first = await bench.brokers.next();
    bench.brokers.leaders.set(0, 2);
    first.answer(
      encodeFetchAnswer(11, [
        { partition: 0, errorCode: 6 },
        { partition: 1, highWatermark: 1n, records: batch(0n, 1) },
      ]),
    );
    expect(bench.brokers.doubts).toBe(0);
    const others = [askedOf(await bench.brokers.next()), askedOf(await bench.brokers.next())];
    expect(bench.brokers.doubts).toBeGreaterThan(0);
    expect(others).toContainEqual(new Map([[1, 1]]));
    expect(others).toContainEqual(new Map([[0, 0]]));
    expect(bench.said).toEqual([["records", 1, 0n, 1n, 1]]);
  });

  it("K-2: out of range is told with the ends of the log, and nothing is fetched until somebody decides", async () => {
    open().fetcher.set(ONE, 3n);
    await bench.answer({ partition: 0, errorCode: 1 });
    for (const offset of ["5", "9", "9"]) {
      const request = await bench.brokers.next();
      expect(request.name).toBe("ListOffsets");
      request.answer({ responses: [{ partitions: [{ partition: 0, errorCode: 0, offset }] }] });
    }
    bench.fetcher.set(TWO, 0n);
    expect(await bench.answer()).toEqual(new Map([[1, 0]]));
    expect(bench.said).toEqual([["outOfRange", 0, 3n, 5n, 9n]]);
  });

  it("F23: before version 3 more is asked for when a record comes without its end", async () => {
    open().version = 2;
    bench.fetcher.set(ONE, 0n);
    const large = batch(0n, 1, { body: Buffer.alloc(200_000) });
    const cut = { partition: 0, highWatermark: 1n, records: large.subarray(0, 1 << 16) };
    await bench.answer(cut);
    const again = await bench.brokers.next();
    const topics = again.args.topics as { partitions: { maxBytes: number }[] }[];
    expect(topics[0]?.partitions[0]?.maxBytes).toBe(large.length);
    expect(bench.said).toEqual([]);
  });

  it("nothing comes for a position that was overtaken, nor after a removal, and its memory isn't held", async () => {
    open().fetcher.set(ONE, 0n);
    const first = await bench.brokers.next();
    bench.fetcher.set(ONE, 7n);
    const payload = encodeFetchAnswer(11, [
      { partition: 0, highWatermark: 3n, records: batch(0n, 3) },
    ]);
    first.answer(payload);
    const second = await bench.brokers.next();
    expect(askedOf(second)).toEqual(new Map([[0, 7]]));
    bench.fetcher.remove(ONE);
    second.answer(payload);
    await Promise.resolve();
    expect(bench.said).toEqual([]);
    expect(bench.bytesHeld).toBe(0);
  });
});
