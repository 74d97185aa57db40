import { waitUntil } from "@penstock/testkit";
import { PartitionAssigners } from "kafkajs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import type { GroupWorld } from "../../record-source/group-world.ts";
import { Operator } from "../../record-source/operator.ts";
import { classicWorld } from "./classic-world.ts";

/** Nobody but the members notices what happens to topics, and only the leader can give new partitions to somebody. */
describe.concurrent("topics of a classic group", () => {
  let world: GroupWorld;
  let operator: Operator;
  beforeAll(async () => {
    world = classicWorld(inject("KAFKA"));
    operator = await Operator.connect(inject("KAFKA"));
  });
  afterAll(async () => {
    await world.close();
    await operator.close();
  });

  it("F15: added partitions are adopted within 30 s, from their beginning; what was held stays what it is", async () => {
    const { topic, groupId } = await world.topic(2);
    const leader = world.open({ topic, groupId });
    await leader.untilHolds(2);
    const follower = world.open({ topic, groupId });
    await follower.untilHolds(1);
    await leader.untilHolds(1);
    const before = [...leader.held.values(), ...follower.held.values()];
    await world.admin.addPartitions(topic, 6);
    await leader.untilHolds(3, 30_000);
    await follower.untilHolds(3, 30_000);
    const after = [...leader.held.values(), ...follower.held.values()];
    for (const assignment of before) expect(after).toContain(assignment);
    expect(leader.of("adopted").at(-1)?.start).toMatchObject({ committed: null, logStart: 0n });
  });

  it("F14: one that is deleted and made again is another topic; nothing old is applied to it", async () => {
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    const old = probe.assignment(0);
    expect(await probe.commit(old, 40n)).toBe("committed");
    await world.admin.deleteTopic(topic);
    const topicId = await world.admin.createTopic(topic, { partitions: 1 });
    expect(await probe.commit(old, 41n)).not.toBe("committed");
    await probe.until("the new one is adopted", () => probe.held.get(0)?.topicId === topicId);
    expect(probe.of("adopted").at(-1)?.start.committed).toBeNull();
    expect(await world.committed(groupId, topic, 0)).toBeUndefined();
    await probe.until("all is well", () => probe.problem === null);
  });

  it("F15, F36: a leader of ours assigns and watches the topics of strangers too", async () => {
    const { topic, groupId } = await world.topic(2);
    const { topic: foreign } = await world.topic(2);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(2);
    const consumer = operator.kafkajs.consumer({
      ...{ groupId, sessionTimeout: 8_000, heartbeatInterval: 300, maxWaitTimeInMs: 200 },
      partitionAssigners: [PartitionAssigners.roundRobin],
    });
    let theirs: Record<string, number[]> = {};
    consumer.on(consumer.events.GROUP_JOIN, ({ payload }) => {
      theirs = payload.memberAssignment;
    });
    await consumer.connect();
    await consumer.subscribe({ topic: foreign });
    await consumer.run({ eachMessage: async () => {} });
    try {
      await waitUntil("each has its own topic", () => theirs[foreign]?.length === 2);
      expect(theirs[topic] ?? []).toEqual([]);
      await probe.untilHolds(2);
      await world.admin.addPartitions(foreign, 3);
      await waitUntil("the new one is theirs", () => theirs[foreign]?.length === 3);
      await probe.untilHolds(2);
      expect(probe.of("lost")).toEqual([]);
    } finally {
      await consumer.disconnect();
    }
  });
});
