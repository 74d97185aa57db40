import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type LocalKafka, startKafka } from "@penstock/local";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";

describe("a broker that goes away", () => {
  const dataDir = mkdtempSync(join(tmpdir(), "penstock-group-"));
  let kafka: LocalKafka;
  let world: GroupWorld;
  beforeAll(async () => {
    kafka = await startKafka({ dataDir });
    world = new GroupWorld(kafka.bootstrapServers, { requestTimeoutMs: 3_000 });
  });
  afterEach(() => world.endProbes());
  afterAll(async () => {
    await world.close();
    await kafka.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("F01: a restart within the session costs no rebalance; commits go on under the same epoch", async () => {
    const { topic, groupId } = await world.topic(3);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(3);
    const held = [...probe.held.values()];
    expect(await probe.commit(probe.assignment(0), 1n)).toBe("committed");
    await kafka.restart();
    await probe.until("it dispatches again", () => probe.source.mayDispatch());
    expect(probe.of("lost")).toEqual([]);
    expect(probe.of("revoking")).toEqual([]);
    expect([...probe.held.values()]).toEqual(held);
    await expect
      .poll(() => probe.commit(probe.assignment(0), 2n), { timeout: 30_000 })
      .toBe("committed");
    await probe.until("the problem heals", () => probe.problem === null);
  });

  it("F03, F35: a commit without an answer is unknown, never committed", async () => {
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    kafka.pause();
    try {
      expect(await probe.commit(probe.assignment(0), 4n)).toBe("unknown");
    } finally {
      kafka.resume();
    }
    await expect
      .poll(() => probe.commit(probe.assignment(0), 4n), { timeout: 30_000 })
      .toBe("committed");
    expect(probe.of("lost")).toEqual([]);
  });

  it("F06: while the broker answers nothing, nothing is dispatched once the session may have run out; then all goes on", async () => {
    const { topic, groupId } = await world.topic(2);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(2);
    await probe.until("it dispatches", () => probe.source.mayDispatch());
    kafka.pause();
    try {
      await probe.until("it stops dispatching", () => !probe.source.mayDispatch(), 9_000);
      await probe.until("the problem shows", () => probe.problem?.code === "kafkaUnavailable");
    } finally {
      kafka.resume();
    }
    await probe.until(
      "it dispatches again",
      () => probe.source.mayDispatch() && probe.held.size === 2,
    );
    await probe.until("the problem heals", () => probe.problem === null);
  });

  it("F04: brokers that are away at the start are a problem with a reason; the source works when they come", async () => {
    const { topic, groupId } = await world.topic(2);
    await kafka.stop();
    const probe = world.open({ topic, groupId });
    await probe.until("the problem shows", () => probe.problem?.code === "kafkaUnavailable");
    expect(probe.source.mayDispatch()).toBe(false);
    await kafka.restart();
    await probe.untilHolds(2);
    await probe.until("the problem heals", () => probe.problem === null);
  });

  it("F04, L-3: a source closes in bounded time while all brokers are away", async () => {
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId, drainLimitMs: 500 });
    await probe.untilHolds(1);
    await kafka.stop();
    const startedAtMs = performance.now();
    await probe.source.close();
    expect(performance.now() - startedAtMs).toBeLessThan(9_000);
    expect(probe.state?.phase).toBe("left");
    await kafka.restart();
  });
});
