import { waitUntil } from "@penstock/testkit";
import { type Consumer, type Kafka, PartitionAssigners } from "kafkajs";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { GroupWorld } from "../../record-source/group-world.ts";
import { Operator } from "../../record-source/operator.ts";
import { classicWorld } from "./classic-world.ts";

/** A member of kafkajs with what it was given, by generation, and what it read. */
class Neighbour {
  readonly consumer: Consumer;
  partitions: number[] = [];
  readonly readAtMs = new Map<number, number>();

  constructor(kafka: Kafka, groupId: string, rebalanceTimeout = 60_000) {
    this.consumer = kafka.consumer({
      ...{ groupId, rebalanceTimeout, sessionTimeout: 8_000, heartbeatInterval: 300 },
      ...{ maxWaitTimeInMs: 200, partitionAssigners: [PartitionAssigners.roundRobin] },
    });
  }

  async join(topic: string): Promise<void> {
    this.consumer.on(this.consumer.events.GROUP_JOIN, ({ payload }) => {
      this.partitions = [...(payload.memberAssignment[topic] ?? [])].sort();
    });
    await this.consumer.connect();
    await this.consumer.subscribe({ topic, fromBeginning: true });
    await this.consumer.run({
      autoCommitInterval: 100,
      eachMessage: async ({ partition }) => {
        if (!this.readAtMs.has(partition)) this.readAtMs.set(partition, performance.now());
      },
    });
  }

  leave(): Promise<void> {
    return this.consumer.disconnect();
  }
}

describe("a classic group with members of kafkajs, which know of no cooperation", () => {
  let world: GroupWorld;
  let operator: Operator;
  let neighbours: Neighbour[] = [];
  beforeAll(async () => {
    world = classicWorld(inject("KAFKA"));
    operator = await Operator.connect(inject("KAFKA"));
  });
  afterEach(async () => {
    await world.endProbes();
    await Promise.all(neighbours.map((one) => one.leave()));
    neighbours = [];
  });
  afterAll(async () => {
    await operator.close();
    await world.close();
  });

  const neighbour = (groupId: string) => {
    const one = new Neighbour(operator.kafkajs, groupId);
    neighbours.push(one);
    return one;
  };

  // F30, F36 → I-5, I-18. Goal: the cooperative generation that a stranger ends gives nothing away that is in a call.
  // Method: hold what is asked back when kafkajs joins, see that kafkajs has none of it, commit, release.
  it("F30, F36, I-5, I-18: one that joins gets its share after ours was drained, and what it gives back is ours again", async () => {
    const { topic, groupId } = await world.topic(4);
    for (let partition = 0; partition < 4; partition++) await operator.fill(topic, partition, 5);
    const probe = world.open({ topic, groupId, releasesAtOnce: false, drainLimitMs: 20_000 });
    await probe.untilHolds(4);
    const old = [...probe.held.values()];
    const other = neighbour(groupId);
    const joined = other.join(topic);
    await probe.until("something is asked back", () => probe.of("revoking").length >= 2);
    // Its first generation gives it nothing of ours.
    for (const { assignment } of probe.of("revoking"))
      expect(await probe.commit(assignment, 3n)).toBe("committed");
    expect(other.partitions).toEqual([]);
    probe.releasesAtOnce = true;
    for (const { assignment } of probe.of("revoking")) probe.release(assignment);
    await joined;
    await waitUntil("each has half", () => probe.held.size === 2 && other.partitions.length === 2);
    expect([...probe.partitions, ...other.partitions].sort()).toEqual([0, 1, 2, 3]);
    expect(probe.of("lost")).toEqual([]);
    await waitUntil("it reads its half", () => other.readAtMs.size === 2);
    const lastReleaseMs = Math.max(...probe.of("released").map(({ atMs }) => atMs));
    for (const readAtMs of other.readAtMs.values()) expect(readAtMs).toBeGreaterThan(lastReleaseMs);
    for (const assignment of old) expect(await probe.commit(assignment, 4n)).toBe("fenced");
    for (const partition of probe.partitions)
      expect(await probe.commit(probe.assignment(partition), 5n)).toBe("committed");

    await other.leave();
    await probe.untilHolds(4);
    const kept = [...probe.held.values()];
    // Cooperative again: a second one of ours takes half, the rest stays what it is.
    const second = world.open({ topic, groupId });
    await second.untilHolds(2);
    await probe.untilHolds(2);
    for (const assignment of probe.held.values()) expect(kept).toContain(assignment);
  });

  it("F36: a group of kafkajs is joined while it runs, shared, and taken over when it leaves", async () => {
    const { topic, groupId } = await world.topic(4);
    const other = neighbour(groupId);
    await other.join(topic);
    await waitUntil("it has all", () => other.partitions.length === 4);
    const probe = world.open({ topic, groupId });
    await waitUntil("each has half", () => probe.held.size === 2 && other.partitions.length === 2);
    expect([...probe.partitions, ...other.partitions].sort()).toEqual([0, 1, 2, 3]);
    for (const partition of probe.partitions)
      expect(await probe.commit(probe.assignment(partition), 1n)).toBe("committed");
    await other.leave();
    await probe.untilHolds(4);
    expect(probe.of("lost")).toEqual([]);
    expect(probe.of("adopted").at(-1)?.start.committed).not.toBeUndefined();
  });

  it("F30: in an eager group everything is drained before any rebalance, and adopted anew", async () => {
    const { topic, groupId } = await world.topic(4);
    const other = neighbour(groupId);
    await other.join(topic);
    const probe = world.open({ topic, groupId, releasesAtOnce: false, drainLimitMs: 20_000 });
    await probe.untilHolds(2);
    const before = [...probe.held.values()];
    const second = world.open({ topic, groupId });
    await probe.until("everything is asked back", () => probe.of("revoking").length === 2);
    expect(second.held.size).toBe(0);
    // The coordinator waits for us, and takes what we still have to say.
    for (const assignment of before) expect(await probe.commit(assignment, 2n)).toBe("committed");
    probe.releasesAtOnce = true;
    for (const assignment of before) probe.release(assignment);
    const all = () => [...probe.partitions, ...second.partitions, ...other.partitions].sort();
    await waitUntil("all are shared", () => all().join() === "0,1,2,3" && second.held.size > 0);
    for (const assignment of before) expect(await probe.commit(assignment, 3n)).toBe("fenced");
    expect(probe.of("lost")).toEqual([]);
  });
});
