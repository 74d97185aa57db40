/** What a member reads: every record once and in order, over everything that can be in a log. */
import { waitUntil } from "@penstock/testkit";
import { describe, expect, it } from "vitest";
import type { Bench } from "../rows/bench.ts";
import { type BrokerRow, offersOf } from "../rows/broker-row.ts";

const upTo = (count: number): bigint[] =>
  Array.from({ length: count }, (_, index) => BigInt(index));

export function claimsOfRecords(row: BrokerRow, bench: () => Bench): void {
  const offers = offersOf(row.version);

  it("I-1, I-3: gives every record once and in order, and resumes at the commit", async () => {
    const { operator } = bench();
    const { topic, groupId } = await bench().topic(2);
    await operator.fill(topic, 0, 500);
    const first = bench().open({ topic, groupId, fetches: true });
    await first.untilHolds(2);
    const start = first.of("adopted").find((one) => one.assignment.partition === 0)?.start;
    expect(start).toEqual({ committed: null, logStart: 0n, logEnd: 500n, highWatermark: 500n });
    await first.until("500 came", () => first.offsetsOf(0).length === 500);
    expect(await first.commit(first.assignment(0), 300n)).toBe("committed");
    await first.source.close();

    const second = bench().open({ topic, groupId, fetches: true });
    await operator.fill(topic, 0, 100, 500);
    await second.until("the rest came", () => second.offsetsOf(0).at(-1) === 599n);
    expect(first.offsetsOf(0)).toEqual(upTo(500));
    expect(second.offsetsOf(0)).toEqual(upTo(600).slice(300));
    expect(second.valuesOf(0).at(-1)).toBe("value 599");
  });

  it("a lane can stop and go on; the ends of its log can be asked for meanwhile", async () => {
    const { topic, probe } = await bench().alone(1, { fetches: true });
    await bench().operator.fill(topic, 0, 10);
    await probe.until("10 came", () => probe.offsetsOf(0).length === 10);
    const assignment = probe.assignment(0);
    probe.source.pause(assignment);
    await bench().operator.fill(topic, 0, 10);
    probe.source.refreshEnds([assignment]);
    await probe.until("the end is known", () => probe.of("logEnds").at(-1)?.logEnd === 20n);
    probe.source.resume(assignment);
    await probe.until("20 came", () => probe.offsetsOf(0).length >= 20);
    expect(probe.offsetsOf(0)).toEqual(upTo(20));
  });

  it("two groups of one process read one topic without disturbing each other", async () => {
    const { operator } = bench();
    const { topic, groupId } = await bench().topic(1);
    await operator.fill(topic, 0, 50);
    const one = bench().open({ topic, groupId, fetches: true });
    const two = bench().open({ topic, groupId: `${groupId}-too`, fetches: true });
    await one.until("50 came", () => one.offsetsOf(0).length === 50);
    await two.until("50 came", () => two.offsetsOf(0).length === 50);
    one.source.abort();
    await operator.fill(topic, 0, 50);
    await two.until("100 came", () => two.offsetsOf(0).length === 100);
    expect(two.offsetsOf(0)).toEqual(upTo(100));
  });

  it.runIf(offers.deletesRecords)(
    "F12: a position below the log start is told with the ends, and nothing comes until there is another one",
    async () => {
      const { operator } = bench();
      const { topic, groupId } = await bench().topic(1);
      for (let each = 0; each < 4; each++) await operator.fill(topic, 0, 5, each * 5);
      await bench().admin.deleteRecords(topic, new Map([[0, 15n]]));
      const probe = bench().open({ topic, groupId });
      await probe.untilHolds(1);
      expect(probe.of("adopted")[0]?.start).toMatchObject({ logStart: 15n, logEnd: 20n });
      probe.source.fetch(probe.assignment(0), 3n);
      await probe.until("it is told", () => probe.of("outOfRange").length > 0);
      expect(probe.of("outOfRange")[0]).toMatchObject({ position: 3n, logStart: 15n });
      expect(probe.offsetsOf(0)).toEqual([]);
      expect(await operator.committed(groupId, topic, 0)).toBeUndefined();
      probe.source.fetch(probe.assignment(0), 15n);
      await probe.until("the rest came", () => probe.offsetsOf(0).length === 5);
      expect(probe.offsetsOf(0)).toEqual(upTo(20).slice(15));
    },
  );

  it("F13, F36: offsets that an operator sets, down and beyond the end, are told as they are; nothing is rewound", async () => {
    const { operator } = bench();
    const { topic, groupId } = await bench().topic(1);
    await operator.fill(topic, 0, 10);
    const first = bench().open({ topic, groupId });
    await first.untilHolds(1);
    expect(await first.commit(first.assignment(0), 8n)).toBe("committed");
    await first.source.close();
    for (const offset of [4, 99]) {
      await operator.setOffset(groupId, topic, offset);
      const probe = bench().open({ topic, groupId });
      await probe.untilHolds(1);
      const start = probe.of("adopted")[0]?.start;
      expect(start?.committed?.offset).toBe(BigInt(offset));
      expect(start?.logEnd).toBe(10n);
      if (offset > 10) {
        probe.source.fetch(probe.assignment(0), 99n);
        await probe.until("it is told", () => probe.of("outOfRange").length > 0);
        expect(probe.of("outOfRange")[0]).toMatchObject({ position: 99n, logStart: 0n });
      }
      await probe.source.close();
      expect(await operator.committed(groupId, topic, 0)).toBe(BigInt(offset));
    }
  });

  it("F16, L-1: gaps that compaction left are passed, and the last record comes", async () => {
    const { operator } = bench();
    const { topic, groupId } = await bench().topic(1, {
      "cleanup.policy": "compact",
      "segment.ms": "100",
      "min.cleanable.dirty.ratio": "0.0001",
      "delete.retention.ms": "0",
    });
    await operator.put(topic, "keep", "first");
    for (let each = 0; each < 20; each++) await operator.put(topic, "again", String(each));
    let end = 21;
    // Each round rolls the segment before it, until what lies below has been compacted away.
    await waitUntil(
      "the cleaner has run",
      async () => {
        await operator.put(topic, "again", "last");
        await operator.put(topic, "roll", String(end));
        end += 2;
        const probe = bench().open({ topic, groupId: `${groupId}-${end}`, fetches: true });
        await probe.until("the end", () => probe.valuesOf(0).at(-1) === String(end - 2));
        const offsets = probe.offsetsOf(0);
        await probe.source.close();
        expect(offsets[0]).toBe(0n);
        expect(offsets.at(-1)).toBe(BigInt(end - 1));
        return offsets.length < end - 5;
      },
      60_000,
    );
  });

  it.runIf(offers.transactions)(
    "F17: aborted records never come, an open transaction holds what follows it, and the position passes every marker",
    async () => {
      const { operator } = bench();
      const { topic, probe } = await bench().alone(1, { fetches: true });
      const producer = await operator.transactions(`tx-${topic}`);
      for (const [end, ...values] of [
        ["commit", "c1", "c2"],
        ["abort", "A1", "A2".padEnd(70_000, ".")],
        ["commit", "c3"],
        ["abort", "A3"],
      ] as const) {
        const open = await producer.transaction();
        for (const value of values) await open.send({ topic, messages: [{ partition: 0, value }] });
        await open[end]();
      }
      await operator.send(topic, 0, ["plain"]);
      await probe.until("the stable part", () => probe.valuesOf(0).at(-1) === "plain");
      const open = await producer.transaction();
      await open.send({ topic, messages: [{ partition: 0, value: "inside" }] });
      await operator.send(topic, 0, ["after"]);
      probe.source.refreshEnds([probe.assignment(0)]);
      await probe.until("the end is told", () =>
        probe.of("logEnds").some(({ highWatermark, logEnd }) => highWatermark > logEnd),
      );
      expect(probe.valuesOf(0).at(-1)).toBe("plain");
      await open.commit();
      await probe.until("the rest", () => probe.valuesOf(0).at(-1) === "after");
      expect(probe.valuesOf(0)).toEqual(["c1", "c2", "c3", "plain", "inside", "after"]);
      // Three records of aborted transactions, five markers and six records: the last marker is the last thing in the log.
      const end = await bench().admin.listOffsets(topic, "latest");
      await probe.until(
        "the last marker is passed",
        () => probe.of("records").at(-1)?.nextOffset === end.get(0)?.offset,
      );
    },
  );

  describe.each(offers.codecs)("F21, I-13: %s", (codec) => {
    it("is read as it was written", async () => {
      const { topic, probe } = await bench().alone(1, { fetches: true });
      const values = Array.from({ length: 40 }, (_, i) => `${i}-${"payload ".repeat(i * 7)}`);
      await bench().operator.sendCompressed(topic, codec, values);
      await probe.until("all came", () => probe.valuesOf(0).length === values.length);
      expect(probe.valuesOf(0)).toEqual(values);
    });
  });

  it("F23: a record larger than the fetch size comes, and the other partition goes on", async () => {
    const { operator } = bench();
    const { topic, groupId } = await bench().topic(2);
    for (let each = 0; each < 3; each++)
      await operator.send(topic, 0, [String(each).repeat(700_000)]);
    await operator.send(topic, 0, ["after"]);
    await operator.fill(topic, 1, 100);
    const sizes = { fetchBytesMax: 20_000, fetchPartitionBytesMax: 10_000 };
    const probe = bench().open({ topic, groupId, fetches: true, ...sizes });
    await probe.until("the last", () => probe.valuesOf(0).at(-1) === "after");
    await probe.until("the small ones", () => probe.offsetsOf(1).length === 100);
    expect(probe.offsetsOf(0)).toEqual(upTo(4));
  });
}
