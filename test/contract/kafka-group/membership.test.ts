import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";

describe("membership of a consumer group (KIP-848)", () => {
  let world: GroupWorld;
  beforeAll(() => {
    world = new GroupWorld(inject("KAFKA"));
  });
  afterEach(() => world.endProbes());
  afterAll(() => world.close());

  it("joins, adopts with committed offset and log ends, commits with metadata, leaves", async () => {
    const { topic, groupId } = await world.topic(3);
    const first = world.open({ topic, groupId });
    await first.untilHolds(3);
    expect(first.of("adopted").map(({ start }) => start)).toEqual(
      Array(3).fill({ committed: null, logStart: 0n, logEnd: 0n, highWatermark: 0n }),
    );
    expect(first.source.mayDispatch()).toBe(true);
    expect(await first.commit(first.assignment(1), 0n, '{"v":1}')).toBe("committed");
    const described = await world.admin.describeGroup(groupId);
    expect(described.members).toMatchObject([
      { memberId: first.source.memberId, assignment: [{ topic, partitions: [0, 1, 2] }] },
    ]);

    await first.source.close();
    expect(first.state?.phase).toBe("left");
    expect(first.of("revoking")).toHaveLength(3);
    expect((await world.admin.describeGroup(groupId)).members).toEqual([]);

    const second = world.open({ topic, groupId });
    await second.untilHolds(3);
    const start = second.of("adopted").find(({ assignment }) => assignment.partition === 1)?.start;
    expect(start?.committed).toEqual({ offset: 0n, metadata: '{"v":1}' });
  });

  it("I-18: another member gets a partition only after it was released here", async () => {
    const { topic, groupId } = await world.topic(4);
    const first = world.open({ topic, groupId, releasesAtOnce: false, drainLimitMs: 20_000 });
    await first.untilHolds(4);
    const second = world.open({ topic, groupId });
    await first.until("two are asked back", () => first.of("revoking").length === 2);
    // The commit of a draining partition is still good.
    const [one, two] = first.of("revoking").map(({ assignment }) => assignment);
    if (!one || !two) throw new Error("two were asked back");
    expect(await first.commit(one, 5n)).toBe("committed");
    first.release(one);
    first.release(two);
    await second.untilHolds(2);
    for (const { assignment, atMs } of second.of("adopted")) {
      const released = first
        .of("released")
        .find((event) => event.assignment.partition === assignment.partition);
      expect(released?.atMs).toBeLessThan(atMs);
      expect(assignment.epoch).toBeGreaterThan(one.epoch);
    }
    expect(
      second.of("adopted").find((e) => e.assignment.partition === one.partition)?.start,
    ).toMatchObject({ committed: { offset: 5n } });
    // Kept partitions keep their assignment, and their commits carry its epoch.
    const kept = first.assignment(first.partitions[0] ?? -1);
    expect(await first.commit(kept, 1n)).toBe("committed");
    expect(first.of("lost")).toEqual([]);
  });

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

  it("I-5: after the drain limit a partition is lost, and its commits are refused without asking", async () => {
    const { topic, groupId } = await world.topic(2);
    const first = world.open({ topic, groupId, releasesAtOnce: false, drainLimitMs: 500 });
    await first.untilHolds(2);
    const second = world.open({ topic, groupId });
    await first.until("one is lost", () => first.of("lost").length === 1);
    const [lost] = first.of("lost");
    if (!lost) throw new Error("one was lost");
    expect(lost.reason).toBe("drainLimit");
    expect(await first.commit(lost.assignment, 7n)).toBe("fenced");
    await second.untilHolds(1);
    expect(await world.committed(groupId, topic, lost.assignment.partition)).toBeUndefined();
  });

  it("a member that is removed from outside loses everything and joins again; the others get its partitions at once", async () => {
    const { topic, groupId } = await world.topic(2);
    const first = world.open({ topic, groupId });
    await first.untilHolds(2);
    const second = world.open({ topic, groupId });
    await second.untilHolds(1);
    await first.untilHolds(1);
    const old = first.assignment(first.partitions[0] ?? -1);
    second.source.expectChange(10_000);
    const removedAtMs = performance.now();
    expect(await world.admin.removeMember(groupId, first.source.memberId)).toBe(true);
    // Before it knows: Kafka refuses, and it learns it from that.
    expect(await first.commit(old, 9n)).toBe("fenced");
    await first.until("it is lost", () => first.of("lost").length === 1);
    expect(first.of("lost")[0]?.reason).toBe("memberUnknown");
    await first.until("it is back", () => first.held.size === 1 && second.held.size === 1);
    expect(performance.now() - removedAtMs).toBeLessThan(6_000);
    expect(await world.committed(groupId, topic, old.partition)).toBeUndefined();
  });

  it("metadata that Kafka finds too large is left out, and the offset committed", async () => {
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    expect(await probe.commit(probe.assignment(0), 3n, "x".repeat(5_000))).toBe("committed");
    const committed = await world.admin.committedOffsets(groupId, topic);
    expect(committed.get(0)).toEqual({ offset: 3n, metadata: "" });
  });

  it("I-7: a commit that goes back is a bug, and is not sent", async () => {
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    expect(await probe.commit(probe.assignment(0), 3n)).toBe("committed");
    await expect(probe.commit(probe.assignment(0), 2n)).rejects.toThrow(/goes back/);
    expect(await world.committed(groupId, topic, 0)).toBe(3n);
  });

  it("F15: added partitions are adopted within 30 s, from their beginning", async () => {
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    await world.admin.addPartitions(topic, 3);
    await probe.untilHolds(3, 30_000);
    expect(probe.of("adopted").at(-1)?.start).toMatchObject({ committed: null, logStart: 0n });
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

  it("F14: a deleted topic is a problem within seconds, and its partitions are given back", async () => {
    const { topic, groupId } = await world.topic(2);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(2);
    await world.admin.deleteTopic(topic);
    await probe.until(
      "the problem shows",
      () => probe.problem?.code === "kafkaTopicMissing",
      8_000,
    );
    expect(probe.held.size).toBe(0);
  });

  it("a missing topic is a problem with a reason, and heals when it appears", async () => {
    const topic = `later-${performance.now()}`;
    const probe = world.open({ topic, groupId: `of-${topic}` });
    await probe.until("the problem shows", () => probe.problem?.code === "kafkaTopicMissing");
    await world.admin.createTopic(topic, { partitions: 2 });
    await probe.untilHolds(2);
    await probe.until("the problem heals", () => probe.problem === null);
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
