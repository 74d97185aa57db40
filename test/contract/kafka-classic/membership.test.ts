import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { GroupWorld } from "../../record-source/group-world.ts";
import { classicWorld } from "./classic-world.ts";

describe("membership of a classic group", () => {
  let world: GroupWorld;
  beforeAll(() => {
    world = classicWorld(inject("KAFKA"));
  });
  afterEach(() => world.endProbes());
  afterAll(() => world.close());

  it("joins, adopts with committed offset and log ends, commits with metadata, leaves", async () => {
    const { topic, groupId } = await world.topic(3);
    const first = world.open({ topic, groupId });
    expect(first.source.memberId).toBe("");
    await first.untilHolds(3);
    expect(first.of("adopted").map(({ start }) => start)).toEqual(
      Array(3).fill({ committed: null, logStart: 0n, logEnd: 0n, highWatermark: 0n }),
    );
    expect(first.source.mayDispatch()).toBe(true);
    expect(await first.commit(first.assignment(1), 0n, '{"v":1}')).toBe("committed");
    expect(first.source.memberId).toMatch(/^penstock-test-/);
    await first.source.close();
    expect(first.state?.phase).toBe("left");
    expect(first.of("revoking")).toHaveLength(3);

    const second = world.open({ topic, groupId });
    // Nobody has to be waited for.
    await second.untilHolds(3, 4_000);
    const start = second.of("adopted").find(({ assignment }) => assignment.partition === 1)?.start;
    expect(start?.committed).toEqual({ offset: 0n, metadata: '{"v":1}' });
  });

  it("I-18, I-5: another member gets a partition only after it was released here; what stays is not touched", async () => {
    const { topic, groupId } = await world.topic(4);
    const first = world.open({ topic, groupId, releasesAtOnce: false, drainLimitMs: 20_000 });
    await first.untilHolds(4);
    const second = world.open({ topic, groupId });
    await first.until("two are asked back", () => first.of("revoking").length === 2);
    const [one, two] = first.of("revoking").map(({ assignment }) => assignment);
    if (!one || !two) throw new Error("two were asked back");
    expect(await first.commit(one, 5n)).toBe("committed");
    expect(second.held.size).toBe(0);
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
    const kept = first.assignment(first.partitions[0] ?? -1);
    expect(await first.commit(kept, 1n)).toBe("committed");
    expect(await first.commit(one, 6n)).toBe("fenced");
    expect(first.of("lost")).toEqual([]);
    expect(first.of("adopted")).toHaveLength(4);
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

  it("F15: added partitions are adopted within 30 s, from their beginning", async () => {
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    const before = probe.assignment(0);
    await world.admin.addPartitions(topic, 3);
    await probe.untilHolds(3, 30_000);
    expect(probe.of("adopted").at(-1)?.start).toMatchObject({ committed: null, logStart: 0n });
    expect(probe.assignment(0)).toBe(before);
  });

  it("F14: a topic that is deleted and made again is another topic; nothing old is applied to it", async () => {
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
});
