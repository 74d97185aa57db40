import { waitUntil } from "@penstock/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import type { GroupWorld } from "../../record-source/group-world.ts";
import { classicWorld } from "./classic-world.ts";

describe("commits of members of a classic group", () => {
  let world: GroupWorld;
  beforeAll(() => {
    world = classicWorld(inject("KAFKA"));
  });
  afterEach(() => world.endProbes());
  afterAll(() => world.close());

  it("F35, I-2: pass while others are waited for, of what stays and of what drains", async () => {
    const { topic, groupId } = await world.topic(6);
    const first = world.open({ topic, groupId, drainLimitMs: 20_000 });
    const second = world.open({ topic, groupId, drainLimitMs: 20_000 });
    await first.untilHolds(3);
    await second.untilHolds(3);
    first.releasesAtOnce = false;
    second.releasesAtOnce = false;
    const drains = () => [...first.of("revoking"), ...second.of("revoking")].at(-1);
    const before = drains();
    world.open({ topic, groupId });
    await waitUntil("one drains", () => drains() !== before);
    // Another rebalance: it waits for who drains.
    world.open({ topic, groupId });
    await waitUntil("the group waits", async () => {
      return (await world.admin.describeGroup(groupId)).state === "PreparingRebalance";
    });
    let offset = 1n;
    for (const probe of [first, second]) {
      expect(probe.held.size).toBeGreaterThan(0);
      for (const assignment of probe.held.values())
        expect(await probe.commit(assignment, ++offset)).toBe("committed");
    }
    for (const probe of [first, second]) {
      probe.releasesAtOnce = true;
      for (const { assignment } of probe.of("revoking"))
        if (probe.held.get(assignment.partition) === assignment) probe.release(assignment);
    }
    await waitUntil("it is over", async () => {
      return (await world.admin.describeGroup(groupId)).state === "Stable";
    });
    expect([...first.of("lost"), ...second.of("lost")]).toEqual([]);
  });

  // F35 → I-7. Goal: a commit that meets a change of generation is neither lost nor forced. Method: commit without a break while members come and go.
  it("F35, I-7: of a partition that stays are accepted through any number of rebalances", async () => {
    const { topic, groupId } = await world.topic(4);
    const first = world.open({ topic, groupId });
    await first.untilHolds(4);
    const results = new Map<string, number>();
    let offset = 0n;
    let isOver = false;
    const committing = (async () => {
      while (!isOver) {
        const [assignment] = first.held.values();
        if (!assignment) throw new Error("it holds some at any time");
        const result = await first.commit(assignment, ++offset);
        results.set(result, (results.get(result) ?? 0) + 1);
      }
    })();
    const start = first.state?.memberEpoch ?? 0;
    for (let round = 0; round < 4; round++) {
      const other = world.open({ topic, groupId });
      await other.untilHolds(2);
      await other.source.close();
      await first.untilHolds(4);
    }
    isOver = true;
    await committing;
    expect(first.state?.memberEpoch).toBeGreaterThanOrEqual(start + 8);
    expect(results.get("fenced") ?? 0).toBe(0);
    expect(results.get("committed")).toBeGreaterThan(50);
    expect(first.of("lost")).toEqual([]);
  });

  it("F35, I-5: of a member that was removed are refused, and it joins as another", async () => {
    const { topic, groupId } = await world.topic(2);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(2);
    const old = probe.assignment(0);
    const { memberId } = probe.source;
    expect(await world.admin.removeMember(groupId, memberId)).toBe(true);
    expect(await probe.commit(old, 9n)).toBe("fenced");
    await probe.until("it is lost", () => probe.of("lost").length === 2);
    await probe.untilHolds(2);
    expect(probe.source.memberId).not.toBe(memberId);
    expect(probe.state?.memberId).toBe(probe.source.memberId);
    expect(await world.committed(groupId, topic, 0)).toBeUndefined();
    expect(await probe.commit(probe.assignment(0), 1n)).toBe("committed");
  });
});
