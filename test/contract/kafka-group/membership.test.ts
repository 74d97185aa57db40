import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";

/** What is theirs alone; the rest is the contract of record sources (test/brokers). */
describe("membership of a consumer group (KIP-848)", () => {
  let world: GroupWorld;
  beforeAll(() => {
    world = new GroupWorld(inject("KAFKA"));
  });
  afterEach(() => world.endProbes());
  afterAll(() => world.close());

  it("an expected hand-over takes about a second, not a heartbeat interval and more", async () => {
    const { topic, groupId } = await world.topic(4);
    const first = world.open({ topic, groupId });
    await first.untilHolds(4);
    first.source.expectChange(10_000);
    const startedAtMs = performance.now();
    const second = world.open({ topic, groupId });
    second.source.expectChange(10_000);
    await second.untilHolds(2);
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
  });

  it("metadata that Kafka finds too large is left out, and the offset committed", async () => {
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    expect(await probe.commit(probe.assignment(0), 3n, "x".repeat(5_000))).toBe("committed");
    const committed = await world.admin.committedOffsets(groupId, topic);
    expect(committed.get(0)).toEqual({ offset: 3n, metadata: "" });
  });

  it("F14: a topic that is deleted and made again is another topic; nothing old is applied to it", async () => {
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    const old = probe.assignment(0);
    expect(await probe.commit(old, 40n)).toBe("committed");
    await world.admin.deleteTopic(topic);
    const topicId = await world.admin.createTopic(topic, { partitions: 1 });
    // Whether the member has heard of it yet or not, an offset of the old topic never reaches the new one.
    expect(await probe.commit(old, 41n)).not.toBe("committed");
    await probe.until("the new one is adopted", () => probe.held.get(0)?.topicId === topicId);
    expect(probe.of("adopted").at(-1)?.start.committed).toBeNull();
    expect(await world.committed(groupId, topic, 0)).toBeUndefined();
    await probe.until("all is well", () => probe.problem === null);
  });

  it("abort loses everything at once and the group forgets the member", async () => {
    const { topic, groupId } = await world.topic(2);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(2);
    probe.source.abort();
    expect(probe.of("lost").map(({ reason }) => reason)).toEqual(["closed", "closed"]);
    expect(probe.source.mayDispatch()).toBe(false);
    await probe.source.close();
    await expect
      .poll(async () => (await world.admin.describeGroup(groupId)).members.length)
      .toBe(0);
  });
});
