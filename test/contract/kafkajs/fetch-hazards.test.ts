import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { KafkajsWorld, upTo } from "./kafkajs-world.ts";

/** What kafkajs's consumer and decoders do to records, and this driver doesn't. */
describe("kafkajs driver: records", () => {
  let world: KafkajsWorld;
  beforeAll(async () => {
    world = await KafkajsWorld.open(inject("KAFKA"));
  });
  afterEach(() => world.endProbes());
  afterAll(() => world.close());

  it("K-3, I-16: a paused lane holds up no other one, and goes on where it was", async () => {
    const { topic, groupId } = await world.operator.topic(2);
    const probe = world.open({ topic, groupId, fetches: true });
    await probe.untilHolds(2);
    await world.operator.fill(topic, 0, 10);
    await probe.until("10 came", () => probe.offsetsOf(0).length === 10);
    const paused = probe.assignment(0);
    probe.source.pause(paused);
    for (let round = 1; round <= 5; round++) {
      await world.operator.fill(topic, 0, 10, 10 * round);
      await world.operator.fill(topic, 1, 10, 10 * (round - 1));
      await probe.until("the other's came", () => probe.offsetsOf(1).length === 10 * round);
    }
    // What was on its way when it was paused may still have come.
    expect(probe.offsetsOf(0).length).toBeLessThanOrEqual(20);
    probe.source.resume(paused);
    await probe.until("60 came", () => probe.offsetsOf(0).length >= 60);
    expect(probe.offsetsOf(0)).toEqual(upTo(60));
    expect(probe.offsetsOf(1)).toEqual(upTo(50));
  });

  it("K-4, F17: an open transaction is waited for, an aborted one and the markers of both are passed", async () => {
    const { topic, groupId } = await world.operator.topic(1);
    const producer = await world.operator.transactions(`tx-${topic}`);
    const send = async (value: string, end: "commit" | "abort") => {
      const transaction = await producer.transaction();
      await transaction.send({ topic, messages: [{ partition: 0, value }] });
      return () => transaction[end]();
    };
    const probe = world.open({ topic, groupId, fetches: true });
    await probe.untilHolds(1);
    const commit = await send("committed", "commit");
    await probe.until("the open end is seen", () =>
      probe.of("logEnds").some(({ logEnd, highWatermark }) => logEnd === 0n && highWatermark > 0n),
    );
    const answers = probe.of("logEnds").length;
    await probe.until("it was looked again", () => probe.of("logEnds").length > answers + 2);
    expect(probe.of("records")).toEqual([]);
    await commit();
    await (await send("aborted", "abort"))();
    await probe.until("the end is passed", () => probe.of("records").at(-1)?.nextOffset === 4n);
    expect(probe.valuesOf(0)).toEqual(["committed"]);
  });

  it("K-5, F21: snappy, lz4, zstd and gzip are read", async () => {
    const { topic, groupId } = await world.operator.topic(1);
    const codecs = ["snappy", "lz4", "zstd", "gzip", "none"] as const;
    for (const codec of codecs)
      await world.operator.sendCompressed(topic, codec, [`${codec} 1`, `${codec} 2`]);
    const probe = world.open({ topic, groupId, fetches: true });
    await probe.until("all came", () => probe.valuesOf(0).length === 10);
    expect(probe.valuesOf(0)).toEqual(codecs.flatMap((codec) => [`${codec} 1`, `${codec} 2`]));
  });

  it("K-6, F91, K-10: a batch that inflates beyond the cap is told with its range, and stops nobody else", async () => {
    const { topic, groupId } = await world.operator.topic(2);
    await world.operator.send(topic, 0, ["before"]);
    await world.operator.sendCompressed(topic, "gzip", Array(20).fill("0".repeat(900_000)));
    await world.operator.send(topic, 0, ["after"]);
    const probe = world.open({ topic, groupId, fetches: true });
    await probe.until("it is told", () => probe.of("undecodable").length === 1);
    const [told] = probe.of("undecodable");
    expect(told?.reason).toContain("inflates to more than");
    expect(told).toMatchObject({ from: 1n, to: 21n });
    await world.operator.fill(topic, 1, 10);
    await probe.until("the other goes on", () => probe.offsetsOf(1).length === 10);
    probe.source.fetch(probe.assignment(0), 21n);
    await probe.until("the rest came", () => probe.valuesOf(0).length === 2);
    expect(probe.valuesOf(0)).toEqual(["before", "after"]);
  });

  it("I-13: null and empty are what was sent", async () => {
    const { topic, groupId } = await world.operator.topic(1);
    const probe = world.open({ topic, groupId, fetches: true });
    await probe.untilHolds(1);
    await world.operator.put(topic, "null", null);
    await world.operator.put(topic, "empty", "");
    await probe.until("both came", () => probe.valuesOf(0).length === 2);
    expect(probe.valuesOf(0)).toEqual([null, ""]);
  });
});
