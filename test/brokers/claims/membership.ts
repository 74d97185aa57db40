/** Joining, sharing, handing over and losing: what a member of a group may count on. */
import type { Assignment } from "@penstock/core";
import { waitUntil } from "@penstock/testkit";
import { expect, it } from "vitest";
import type { Probe } from "../../record-source/probe.ts";
import { type Bench, MOVED_MS_MAX } from "../rows/bench.ts";
import { type BrokerRow, isLongRun, offersOf } from "../rows/broker-row.ts";

const DRAIN_MS = 30_000;

export function claimsOfMembership(row: BrokerRow, bench: () => Bench): void {
  it("joins, adopts with the committed offset and the ends of the log, commits with metadata, leaves", async () => {
    const { topic, groupId, probe: first } = await bench().alone(3);
    expect(first.of("adopted").map(({ start }) => start)).toEqual(
      Array(3).fill({ committed: null, logStart: 0n, logEnd: 0n, highWatermark: 0n }),
    );
    await first.until("it dispatches", () => first.source.mayDispatch());
    expect(await first.commit(first.assignment(1), 0n, '{"v":1}')).toBe("committed");
    const { members } = await bench().admin.describeGroup(groupId);
    expect(members).toMatchObject([
      { memberId: first.state?.memberId, assignment: [{ topic, partitions: [0, 1, 2] }] },
    ]);

    await first.source.close();
    expect(first.state?.phase).toBe("left");
    expect(first.source.mayDispatch()).toBe(false);
    expect((await bench().admin.describeGroup(groupId)).members).toEqual([]);

    const second = bench().open({ topic, groupId });
    await second.untilHolds(3);
    const start = second.of("adopted").find(({ assignment }) => assignment.partition === 1)?.start;
    expect(start?.committed).toEqual({ offset: 0n, metadata: '{"v":1}' });
  });

  it("F30, I-18, I-5: a second member gets its share after it was given up here, starts at the commit, and late commits are refused", async () => {
    const {
      topic,
      groupId,
      probe: first,
    } = await bench().alone(4, {
      releasesAtOnce: false,
      drainLimitMs: DRAIN_MS,
    });
    const before = new Map([...first.held]);
    for (const assignment of before.values())
      expect(await first.commit(assignment, 3n)).toBe("committed");
    const second = bench().open({ topic, groupId, drainLimitMs: DRAIN_MS });
    if (bench().drains) await drainTwo(first, second);
    else await second.untilHolds(2, MOVED_MS_MAX);
    await untilShared([first, second], 4);

    for (const partition of second.partitions) {
      const theirs = second.assignment(partition);
      const ours = before.get(partition) as Assignment;
      expect(theirs.epoch).toBeGreaterThan(ours.epoch);
      const start = second.of("adopted").find((each) => each.assignment === theirs)?.start;
      expect(start?.committed?.offset).toBe(bench().drains ? 5n : 3n);
      expect(await second.commit(theirs, 9n)).toBe("committed");
      expect(await first.commit(ours, 7n)).toBe("fenced");
      expect(await bench().operator.committed(groupId, topic, partition)).toBe(9n);
    }
    for (const partition of first.partitions) {
      const kept = first.assignment(partition);
      if (bench().keepsWhatStays) expect(kept).toBe(before.get(partition));
      expect(await first.commit(kept, 6n)).toBe("committed");
    }
    if (bench().drains) expect(first.of("lost")).toEqual([]);
  });

  it("I-5: nothing comes of a partition that was asked back, whoever writes to it", async ({
    skip,
  }) => {
    if (!bench().keepsWhatStays) skip("the driver is asked for everything: none goes on");
    const { topic, groupId, probe } = await bench().alone(2, {
      releasesAtOnce: false,
      fetches: true,
      drainLimitMs: DRAIN_MS,
    });
    const other = bench().open({ topic, groupId });
    await probe.until("one is asked back", () => probe.of("revoking").length === 1);
    const { assignment } = probe.of("revoking")[0] as { assignment: Assignment };
    const kept = 1 - assignment.partition;
    await bench().operator.fill(topic, assignment.partition, 10);
    await bench().operator.fill(topic, kept, 10);
    await probe.until("the kept one goes on", () => probe.offsetsOf(kept).length === 10);
    expect(probe.offsetsOf(assignment.partition)).toEqual([]);
    probe.release(assignment);
    await other.untilHolds(1, MOVED_MS_MAX);
  });

  /** Holds what is asked back until the other can be seen not to have it, commits under way, then gives it up. */
  async function drainTwo(first: Probe, second: Probe): Promise<void> {
    await first.until("two are asked back", () => first.of("revoking").length === 2);
    const asked = first.of("revoking").map(({ assignment }) => assignment);
    for (const assignment of asked) expect(await first.commit(assignment, 5n)).toBe("committed");
    expect(second.held.size).toBe(0);
    for (const assignment of asked) first.release(assignment);
    await second.untilHolds(2, MOVED_MS_MAX);
    for (const { assignment, atMs } of second.of("adopted")) {
      const released = first
        .of("released")
        .find((event) => event.assignment.partition === assignment.partition);
      expect(released?.atMs).toBeLessThan(atMs);
    }
  }

  it("F30, I-5: after the drain limit a partition is lost, its commits are refused, and the other goes on without it", async () => {
    const {
      topic,
      groupId,
      probe: first,
    } = await bench().alone(2, {
      releasesAtOnce: false,
      drainLimitMs: 500,
    });
    const all = [...first.held.values()];
    const second = bench().open({ topic, groupId });
    await first.until("one is lost", () => first.of("lost").length > 0, MOVED_MS_MAX);
    const [lost] = first.of("lost");
    if (bench().drains) expect(lost?.reason).toBe("drainLimit");
    await second.untilHolds(1, MOVED_MS_MAX);
    const [partition = -1] = second.partitions;
    expect(await first.commit(all[partition] as Assignment, 7n)).toBe("fenced");
    expect(await bench().operator.committed(groupId, topic, partition)).toBeUndefined();
  });

  it("F30, L-3: a member that leaves while another joins gives everything over, and what it committed is where the other starts", async () => {
    const { topic, groupId, probe: first } = await bench().alone(4);
    for (const assignment of first.held.values())
      expect(await first.commit(assignment, 2n)).toBe("committed");
    const second = bench().open({ topic, groupId });
    await first.source.close();
    await second.untilHolds(4, MOVED_MS_MAX);
    expect(first.held.size).toBe(0);
    for (const { start } of second.of("adopted")) expect(start.committed?.offset).toBe(2n);
  });

  it("F35, I-5: a member that was removed from outside is refused, loses everything and joins again", async () => {
    const { topic, groupId, probe: first } = await bench().alone(2);
    const old = first.assignment(0);
    const { memberId = "" } = first.state ?? {};
    expect(await bench().admin.removeMember(groupId, memberId)).toBe(true);
    // Before it knows: the broker refuses, and it learns it from that.
    expect(await first.commit(old, 9n)).toBe("fenced");
    await first.until("all is lost", () => first.of("lost").length === 2);
    await first.untilHolds(2, MOVED_MS_MAX);
    expect(first.assignment(0)).not.toBe(old);
    expect(await bench().operator.committed(groupId, topic, 0)).toBeUndefined();
    expect(await first.commit(first.assignment(0), 4n)).toBe("committed");
  });

  it("I-18: an orphan is adopted: the partitions of a member that aborts go to the other", async () => {
    const { topic, groupId, probe: first } = await bench().alone(2);
    const second = bench().open({ topic, groupId });
    await untilShared([first, second], 2);
    first.source.abort();
    expect(first.held.size).toBe(0);
    expect(first.source.mayDispatch()).toBe(false);
    await second.untilHolds(2, MOVED_MS_MAX);
    await first.source.close();
  });

  it("I-7: a commit that goes back is a bug, and is not sent", async () => {
    const { topic, groupId, probe } = await bench().alone(1);
    expect(await probe.commit(probe.assignment(0), 3n)).toBe("committed");
    await expect(probe.commit(probe.assignment(0), 2n)).rejects.toThrow(/goes back/);
    expect(await bench().operator.committed(groupId, topic, 0)).toBe(3n);
  });

  it.runIf(offersOf(row.version).addsPartitions)(
    "F15: added partitions are adopted within 30 s, from their beginning",
    async () => {
      const { topic, probe } = await bench().alone(1);
      await bench().operator.addPartitions(topic, 3);
      await probe.untilHolds(3, 30_000);
      for (const partition of [1, 2]) {
        const adopted = probe
          .of("adopted")
          .findLast((one) => one.assignment.partition === partition);
        expect(adopted?.start).toMatchObject({ committed: null, logStart: 0n });
      }
    },
  );

  // Classic groups hear of it when they look at their topics, now and then.
  if (isLongRun())
    it("F14: a topic that is deleted is a problem, and its partitions are given back", async () => {
      const { topic, probe } = await bench().alone(2);
      await bench().operator.delete(topic);
      const isTold = () => probe.problem?.code === "kafkaTopicMissing" && probe.held.size === 0;
      await probe.until("the problem shows", isTold, MOVED_MS_MAX);
    });

  it("a missing topic is a problem with a reason, and heals when it appears", async () => {
    const { topic, groupId } = await bench().topic(2);
    await bench().operator.delete(topic);
    const probe = bench().open({ topic, groupId });
    await probe.until("the problem shows", () => probe.problem?.code === "kafkaTopicMissing");
    await bench().operator.create(topic, 2);
    await probe.untilHolds(2, MOVED_MS_MAX);
    await probe.until("the problem heals", () => probe.problem === null);
  });
}

/** Every partition is held, by one of them only, and all have some. */
export function untilShared(probes: readonly Probe[], partitions: number): Promise<unknown> {
  return waitUntil(
    `${partitions} partitions are shared by ${probes.length}`,
    () => {
      const held = probes.flatMap((probe) => probe.partitions);
      const isOnce = held.length === partitions && new Set(held).size === partitions;
      return isOnce && probes.every((probe) => probe.held.size > 0);
    },
    MOVED_MS_MAX,
  );
}
