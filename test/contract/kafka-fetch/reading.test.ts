import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { FetchWorld } from "./fetch-world.ts";

let world: FetchWorld;
beforeAll(() => {
  world = new FetchWorld(inject("KAFKA"));
});
afterEach(() => world.endProbes());
afterAll(() => world.close());

describe("Fetcher against real Kafka", () => {
  it("reads every partition from its position, in order, as records come", async () => {
    const { topic, keys } = await world.topic(6);
    for (const { partition } of keys)
      for (let i = 0; i < 5; i++) await world.send(topic, partition, [`${i}a`, `${i}b`]);
    const probe = world.probe(topic);
    for (const key of keys) probe.set(key, 4n);
    await probe.until("the backlog", () => probe.count() === 36);
    for (const key of keys)
      expect(probe.ends.get(key)).toEqual({ logStart: 0n, logEnd: 10n, highWatermark: 10n });
    for (const { partition } of keys) await world.send(topic, partition, ["later"]);
    await probe.until("the new ones", () => probe.count() === 42);
    for (const key of keys)
      expect(probe.values(key)).toEqual(["2a", "2b", "3a", "3b", "4a", "4b", "later"]);
    expect(probe.bytesAlive).toBe(0);
    expect(probe.problems).toEqual([]);
    expect(probe.fetcher.counters.sessionsOpened).toBe(1);
  });

  it.each(["none", "gzip", "snappy", "lz4", "zstd"] as const)(
    "F21, I-13: reads what a producer compresses with %s",
    async (compression) => {
      const { topic, keys } = await world.topic(1);
      const [key] = keys as [(typeof keys)[0]];
      const producer = world.platformaticProducer(compression);
      const values = Array.from({ length: 50 }, (_, i) => `${i}-${"payload ".repeat(i * 7)}`);
      await producer.send({
        messages: values.map((value, i) => ({
          topic,
          partition: 0,
          key: Buffer.from(`k${i}`),
          value: Buffer.from(value),
          headers: new Map([[Buffer.from("h"), Buffer.from(String(i))]]),
        })),
      });
      const probe = world.probe(topic);
      probe.set(key, 0n);
      await probe.until("all", () => probe.count() === 50);
      expect(probe.values(key)).toEqual(values);
      expect(probe.delivered.get(key)?.map((record) => record.key)).toEqual(
        values.map((_, i) => `k${i}`),
      );
    },
  );

  it("two fetchers on the same topic each get everything", async () => {
    const { topic, keys } = await world.topic(2);
    const probes = [world.probe(topic), world.probe(topic)];
    for (const probe of probes) for (const key of keys) probe.set(key, 0n);
    for (let i = 0; i < 10; i++) await world.send(topic, i % 2, [String(i)]);
    for (const probe of probes) await probe.until("all", () => probe.count() === 10);
  });

  it("F23: a record larger than the fetch size comes, and others go on", async () => {
    const { topic, keys } = await world.topic(2);
    const [big, small] = keys as [(typeof keys)[0], (typeof keys)[0]];
    const limits = { fetchBytesMax: 20_000, fetchPartitionBytesMax: 10_000 };
    const probe = world.probe(topic, limits);
    for (let i = 0; i < 30; i++) await world.send(topic, 1, ["s".repeat(5000)]);
    for (let i = 0; i < 3; i++) await world.send(topic, 0, [String(i).repeat(700_000)]);
    await world.send(topic, 0, ["after"]);
    for (const key of keys) probe.set(key, 0n);
    await probe.until("all", () => probe.count() === 34);
    expect(probe.values(big).at(-1)).toBe("after");
    expect(probe.values(small)).toHaveLength(30);
  });

  it("a seek in any direction gives exactly what lies behind it", async () => {
    const { topic, keys } = await world.topic(1);
    const [key] = keys as [(typeof keys)[0]];
    for (let i = 0; i < 20; i++) await world.send(topic, 0, [String(i)]);
    const probe = world.probe(topic);
    probe.set(key, 0n);
    await probe.until("all", () => probe.count() === 20);
    probe.delivered.clear();
    probe.set(key, 15n);
    await probe.until("back", () => probe.count() === 5);
    expect(probe.values(key)).toEqual(["15", "16", "17", "18", "19"]);
    probe.fetcher.remove(key);
    await world.send(topic, 0, ["unwanted"]);
    const again = { ...key };
    probe.set(again, 19n);
    await probe.until("a new assignment of the partition", () => probe.values(again).length === 2);
    expect(probe.values(key)).toHaveLength(5);
  });

  it("a paused partition brings at most what was on its way, and loses nothing", async () => {
    const { topic, keys } = await world.topic(2);
    const [key, other] = keys as [(typeof keys)[0], (typeof keys)[0]];
    const probe = world.probe(topic);
    for (const one of keys) probe.set(one, 0n);
    await world.send(topic, 0, ["before"]);
    await probe.until("the first", () => probe.count() === 1);
    probe.fetcher.pause(key);
    for (let i = 0; i < 5; i++) await world.send(topic, 0, [`paused ${i}`]);
    await world.send(topic, 1, ["a"]);
    await probe.until("the other", () => probe.values(other).length === 1);
    await world.send(topic, 1, ["b"]);
    await probe.until("the other", () => probe.values(other).length === 2);
    expect(probe.values(key).length).toBeLessThan(6);
    probe.fetcher.resume(key);
    await probe.until("the rest", () => probe.values(key).length === 6);
  });
});
