import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { FetchWorld } from "./fetch-world.ts";

/** The long poll parks for half a minute; nothing below may take anything like it. */
const maxWaitMs = 30_000;
const SOON_MS = 5_000;

let world: FetchWorld;
beforeAll(() => {
  world = new FetchWorld(inject("KAFKA"));
});
afterEach(() => world.endProbes());
afterAll(() => world.close());

describe("a partition that joins while the long poll is parked", () => {
  it("resumed, with records waiting: comes without the long poll's end", async () => {
    const { topic, keys } = await world.topic(3);
    const [key, other] = keys as [(typeof keys)[0], (typeof keys)[0]];
    const probe = world.probe(topic, { maxWaitMs });
    for (const one of keys) probe.set(one, 0n);
    await world.send(topic, 0, ["first"]);
    await probe.until("the first", () => probe.values(key).length === 1);
    const delays: number[] = [];
    for (let round = 1; round <= 5; round++) {
      probe.fetcher.pause(key);
      // Ends the request that still has the paused partition; the next one parks without it.
      await world.send(topic, 1, ["tick"]);
      await probe.until("the tick", () => probe.values(other).length === round, SOON_MS);
      await world.send(topic, 0, [`waiting ${round}`]);
      const fromMs = performance.now();
      probe.fetcher.resume(key);
      await probe.until("resumed", () => probe.values(key).length === round + 1, SOON_MS);
      delays.push(performance.now() - fromMs);
    }
    expect(probe.fetcher.counters.wakes).toBeGreaterThan(0);
    expect(Math.max(...delays)).toBeLessThan(SOON_MS);
  });

  it("new, one after the other, with nothing to read yet: each comes when its records do", async () => {
    const { topic, keys } = await world.topic(4);
    const probe = world.probe(topic, { maxWaitMs });
    let count = 0;
    for (const key of keys) {
      probe.set(key, 0n);
      await world.send(topic, key.partition, ["late"]);
      count++;
      await probe.until("its record", () => probe.count() === count, SOON_MS);
    }
  });
});
