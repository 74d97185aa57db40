import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { FetchWorld } from "./fetch-world.ts";

let world: FetchWorld;
beforeAll(() => {
  world = new FetchWorld(inject("KAFKA"));
});
afterEach(() => world.endProbes());
afterAll(() => world.close());

type End = "commit" | "abort";

describe("transactions (F17)", () => {
  it("never gives aborted records, also when their marker lies beyond the answer", async () => {
    const { topic, keys } = await world.topic(1);
    const [key] = keys as [(typeof keys)[0]];
    const producer = await world.producer(`tx-${topic}`);
    const transaction = async (end: End, ...values: string[]) => {
      const open = await producer.transaction();
      for (const value of values) await open.send({ topic, messages: [{ partition: 0, value }] });
      await open[end]();
    };
    const big = (name: string) => name.padEnd(60_000, ".");
    await transaction("commit", "c1", "c2");
    await transaction("abort", "A1", "A2");
    await transaction("commit", "c3");
    await world.send(topic, 0, ["n1"]);
    await transaction("abort", big("B1"), big("B2"), big("B3"), big("B4"));
    await transaction("commit", "c4");
    await transaction("abort", "A3");
    const wanted = ["c1", "c2", "c3", "n1", "c4"];
    for (const fetchPartitionBytesMax of [1 << 20, 70_000]) {
      const probe = world.probe(topic, { fetchPartitionBytesMax });
      probe.set(key, 0n);
      await probe.until("all", () => probe.count() === wanted.length);
      expect(probe.values(key)).toEqual(wanted);
      // The last marker is the last thing in the log: the position passes it too.
      await probe.until(
        "the end",
        () => probe.position(key) === probe.ends.get(key)?.highWatermark,
      );
    }
    // From inside an aborted transaction.
    const probe = world.probe(topic);
    probe.set(key, 4n);
    await probe.until("the rest", () => probe.count() === 3);
    expect(probe.values(key)).toEqual(wanted.slice(2));
  });

  it("an open transaction holds the position, and what follows comes when it ends", async () => {
    const { topic, keys } = await world.topic(1);
    const [key] = keys as [(typeof keys)[0]];
    const producer = await world.producer(`tx-${topic}`);
    await world.send(topic, 0, ["before"]);
    const open = await producer.transaction();
    await open.send({ topic, messages: [{ partition: 0, value: "inside" }] });
    await world.send(topic, 0, ["after"]);
    const probe = world.probe(topic, { maxWaitMs: 50 });
    probe.set(key, 0n);
    await probe.until("the stable part", () => probe.count() === 1);
    const seen = probe.responses;
    await probe.until("more answers", () => probe.responses > seen + 4);
    expect(probe.position(key)).toBe(1n);
    expect(probe.ends.get(key)).toMatchObject({ logEnd: 1n, highWatermark: 3n });
    await open.commit();
    await probe.until("the rest", () => probe.count() === 3);
    expect(probe.values(key)).toEqual(["before", "inside", "after"]);
  });
});
