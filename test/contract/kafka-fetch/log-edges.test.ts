import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalKafka, startKafka } from "@penstock/local";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FetchWorld } from "./fetch-world.ts";

let folder: string;
let kafka: LocalKafka;
let world: FetchWorld;
beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "penstock-edges-"));
  kafka = await startKafka({
    dataDir: folder,
    heapMb: 256,
    // A cleaner that never rests: compaction within a second.
    extraProperties: {
      "log.cleaner.backoff.ms": 50,
      "log.cleaner.min.cleanable.ratio": 0.0001,
      "log.initial.task.delay.ms": 100,
      "log.retention.check.interval.ms": 200,
    },
  });
  world = new FetchWorld(kafka.bootstrapServers);
});
afterEach(() => world.endProbes());
afterAll(async () => {
  await world?.close();
  await kafka?.stop();
  rmSync(folder, { recursive: true, force: true });
});

describe("edges of the log", () => {
  it("F12: a position before the log start is told with the range, and nothing comes until a new one", async () => {
    const { topic, keys } = await world.topic(2);
    const [key, other] = keys as [(typeof keys)[0], (typeof keys)[0]];
    for (let i = 0; i < 10; i++) await world.send(topic, 0, [String(i)]);
    await world.admin.deleteRecords(topic, new Map([[0, 7n]]));
    const probe = world.probe(topic);
    for (const one of keys) probe.set(one, 2n);
    await probe.until("both told", () => probe.outOfRange.length === 2);
    expect(probe.outOfRange).toContainEqual({ key, position: 2n, logStart: 7n, logEnd: 10n });
    expect(probe.outOfRange).toContainEqual({
      key: other,
      position: 2n,
      logStart: 0n,
      logEnd: 0n,
    });
    expect(probe.count()).toBe(0);
    probe.set(key, 7n);
    await probe.until("the rest", () => probe.count() === 3);
    expect(probe.values(key)).toEqual(["7", "8", "9"]);
  });

  it("F12: retention that overtakes a running partition is told", async () => {
    const { topic, keys } = await world.topic(1);
    const [key] = keys as [(typeof keys)[0]];
    await world.send(topic, 0, ["0"]);
    const probe = world.probe(topic);
    probe.set(key, 0n);
    await probe.until("the first", () => probe.count() === 1);
    probe.fetcher.pause(key);
    await probe.until("an answer without it", () => probe.responses > 0);
    for (let i = 1; i < 6; i++) await world.send(topic, 0, [String(i)]);
    await world.admin.deleteRecords(topic, new Map([[0, 5n]]));
    const position = probe.position(key) as bigint;
    probe.fetcher.resume(key);
    if (position < 5n) {
      await probe.until("told", () => probe.outOfRange.length === 1);
      expect(probe.outOfRange[0]).toEqual({ key, position, logStart: 5n, logEnd: 6n });
    }
  });

  it("F16: gaps that compaction left are covered, in the middle and at the end", async () => {
    const { topic, keys } = await world.topic(1, {
      "cleanup.policy": "compact",
      "segment.ms": "100",
      "min.cleanable.dirty.ratio": "0.0001",
      "delete.retention.ms": "0",
    });
    const [key] = keys as [(typeof keys)[0]];
    const producer = await world.producer();
    const put = (name: string, value: string | null) =>
      producer.send({ topic, messages: [{ partition: 0, key: name, value }] });
    await put("keep", "first");
    for (let i = 0; i < 20; i++) await put("again", String(i));
    await put("gone", "x");
    await put("gone", null);
    // Each of these rolls the segment before it, until what is above has been compacted away.
    const probe = world.probe(topic);
    for (let round = 0; round < 200; round++) {
      await put("again", `last ${round}`);
      await put("roll", String(round));
      const fresh = { ...key };
      probe.set(fresh, 0n);
      const end = BigInt(23 + 2 * (round + 1));
      await probe.until("the end", () => probe.position(fresh) === end);
      const offsets = (probe.delivered.get(fresh) ?? []).map(({ offset }) => Number(offset));
      expect(offsets[0]).toBe(0);
      if (offsets.length < 15) return;
    }
    expect.unreachable("the cleaner never ran");
  });

  it("F01, F12: goes on after restarts of the broker, in the middle of fetching", async () => {
    const { topic, keys } = await world.topic(3);
    const probe = world.probe(topic);
    for (const key of keys) probe.set(key, 0n);
    let sent = 0;
    for (let round = 0; round < 2; round++) {
      for (let i = 0; i < 30; i++) await world.send(topic, sent++ % 3, [String(sent)]);
      await kafka.restart();
      for (let i = 0; i < 3; i++) await world.send(topic, sent++ % 3, [String(sent)]);
      const wanted = sent;
      await probe.until("all", () => probe.count() === wanted);
    }
    expect(probe.fetcher.counters.sessionsOpened).toBeGreaterThan(1);
    await probe.until("no problem", () => (probe.problems.at(-1) ?? null) === null);
  });

  it("F06: a frozen broker is dropped, and read again when it thaws", async () => {
    const { topic, keys } = await world.topic(1);
    const [key] = keys as [(typeof keys)[0]];
    await world.send(topic, 0, ["before"]);
    const probe = world.probe(topic, { maxWaitMs: 200, answerGraceMs: 500 });
    probe.set(key, 0n);
    await probe.until("the first", () => probe.count() === 1);
    kafka.pause();
    try {
      await probe.until("given up", () => probe.fetcher.counters.failures > 0);
    } finally {
      kafka.resume();
    }
    await world.send(topic, 0, ["after"]);
    await probe.until("the next", () => probe.count() === 2);
    expect(probe.values(key)).toEqual(["before", "after"]);
  });
});
