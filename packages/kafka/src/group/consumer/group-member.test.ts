import type { Assignment } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { GroupMember, type MemberStep } from "./group-member.ts";
import type { HeartbeatAnswer } from "./heartbeat.ts";

const TOPIC_ID = "00000000-0000-0000-0000-000000000001";

function answer(memberEpoch: number, partitions: number[] | null, heartbeatIntervalMs = 5_000) {
  const assignment = partitions ? [{ topicId: TOPIC_ID, partitions }] : null;
  return { memberEpoch, heartbeatIntervalMs, assignment } satisfies HeartbeatAnswer;
}

function partitionsOf(steps: readonly MemberStep[], kind: MemberStep["do"]): number[] {
  return steps.flatMap((step) =>
    step.do === kind && "assignment" in step ? [step.assignment.partition] : [],
  );
}

/** Joined at 0 ms with partitions 0, 1 and 2 at epoch 2, past the first ten seconds, everything acknowledged. */
function settled(drainLimitMs = 3_000) {
  const member = new GroupMember({ memberId: "m", topic: "t", drainLimitMs });
  const held = new Map<number, Assignment>();
  const beat = (nowMs: number, reply: HeartbeatAnswer, isNewConnection = false) => {
    expect(member.tick(nowMs)).toContainEqual({ do: "heartbeat" });
    const heartbeat = member.compose(nowMs, isNewConnection);
    const steps = member.answered(nowMs + 1, reply);
    for (const step of steps)
      if (step.do === "assigned") held.set(step.assignment.partition, step.assignment);
    return { heartbeat, steps };
  };
  beat(0, answer(2, [0, 1, 2]));
  beat(1, answer(2, [0, 1, 2]));
  beat(11_000, answer(2, null));
  const at = (partition: number) => held.get(partition) as Assignment;
  return { member, beat, at };
}

describe("GroupMember", () => {
  it("joins with a full heartbeat, acknowledges what it got, then says as little as it can at the broker's pace", () => {
    const member = new GroupMember({ memberId: "m", topic: "t", drainLimitMs: 3_000 });
    expect(member.nextTickAtMs(0)).toBe(0);
    expect(member.tick(0)).toEqual([{ do: "heartbeat" }]);
    expect(member.compose(0, true)).toEqual({
      memberId: "m",
      groupInstanceId: null,
      memberEpoch: 0,
      rebalanceTimeoutMs: 5_000,
      subscribedTopics: ["t"],
      owned: [],
    });
    expect(partitionsOf(member.answered(1, answer(2, [0, 1])), "assigned")).toEqual([0, 1]);
    expect(member.tick(2)).toEqual([{ do: "heartbeat" }]);
    // The rebalance timeout follows the broker's interval: the drain limit and two heartbeats.
    expect(member.compose(2, false)).toMatchObject({
      rebalanceTimeoutMs: 13_000,
      owned: [{ topicId: TOPIC_ID, partitions: [0, 1] }],
    });
    member.answered(3, answer(2, [0, 1]));
    expect(member.nextTickAtMs(3)).toBe(502);
    expect(member.tick(11_000)).toEqual([{ do: "heartbeat" }]);
    expect(member.compose(11_000, false)).toEqual({
      memberId: "m",
      groupInstanceId: null,
      memberEpoch: 2,
      rebalanceTimeoutMs: -1,
      subscribedTopics: null,
      owned: null,
    });
    member.answered(11_001, answer(2, null));
    expect(member.nextTickAtMs(11_001)).toBe(16_000);
  });

  it("has one heartbeat in flight, whatever happens meanwhile", () => {
    const { member, at } = settled();
    expect(member.tick(16_000)).toEqual([{ do: "heartbeat" }]);
    member.compose(16_000, false);
    member.hurry();
    member.expectChange(16_000, 5_000);
    member.fenced(at(0));
    expect(member.tick(17_000)).toEqual([]);
    member.answered(17_001, answer(2, null));
    expect(member.tick(17_002)).toEqual([{ do: "heartbeat" }]);
  });

  it("I-18: names a partition as owned until it is released, and says so at once then", () => {
    const { member, beat, at } = settled();
    const { steps } = beat(16_000, answer(2, [0]));
    expect(partitionsOf(steps, "revoking")).toEqual([1, 2]);
    expect(member.isRevoking(at(1))).toBe(true);
    // While it drains: every 500 ms, and still with everything in it if it is asked to say.
    expect(member.nextTickAtMs(16_001)).toBe(16_500);
    expect(beat(16_500, answer(2, null), true).heartbeat.owned?.[0]?.partitions).toEqual([0, 1, 2]);
    member.release(16_600, at(1));
    expect(member.isAlive(at(1))).toBe(false);
    expect(member.nextTickAtMs(16_600)).toBe(16_600);
    expect(beat(16_600, answer(2, null)).heartbeat.owned?.[0]?.partitions).toEqual([0, 2]);
  });

  it("I-5: gives up at the drain limit", () => {
    const { member, beat, at } = settled();
    const { steps } = beat(16_000, answer(2, [0, 1]));
    expect(steps[0]).toEqual({ do: "revoking", assignment: at(2), deadlineMs: 19_001 });
    expect(member.tick(19_001)).toContainEqual({
      do: "lost",
      assignment: at(2),
      reason: "drainLimit",
    });
    expect(member.isAlive(at(2))).toBe(false);
  });

  it("F35: counts the drain from the first answer that may have carried the target and was lost", () => {
    const { member, beat } = settled();
    member.tick(16_000);
    member.compose(16_000, false);
    member.failed(20_000, "transient");
    const { heartbeat, steps } = beat(20_100, answer(2, [0, 1]));
    expect(heartbeat.owned).not.toBeNull();
    // 16 000 (said) + 3 000 (drain) + 5 000 (one of the two heartbeats that the broker grants), less than 20 101 + 3 000.
    expect(steps[0]).toMatchObject({ do: "revoking", deadlineMs: 23_101 });
    const late = settled(30_000);
    late.member.tick(16_000);
    late.member.compose(16_000, false);
    late.member.failed(30_000, "transient");
    expect(late.beat(30_100, answer(2, [0, 1])).steps[0]).toMatchObject({ deadlineMs: 51_000 });
  });

  it("F35: after a failure or on a new connection the heartbeat is a full one", () => {
    const { member, beat } = settled();
    expect(beat(16_000, answer(2, null), true).heartbeat.subscribedTopics).toEqual(["t"]);
    member.tick(21_000);
    expect(member.compose(21_000, false).subscribedTopics).toBeNull();
    member.failed(21_500, "transient");
    expect(member.nextTickAtMs(21_500)).toBe(21_600);
    expect(beat(21_600, answer(2, [0, 1, 2])).heartbeat.subscribedTopics).toEqual(["t"]);
  });

  it("F30: a partition that is given back while it drains becomes a new assignment after its release", () => {
    const { member, beat, at } = settled();
    const old = at(2);
    beat(16_000, answer(2, [0, 1]));
    beat(16_500, answer(4, [0, 1, 2]));
    expect(member.isRevoking(old)).toBe(true);
    const steps = member.release(16_600, old);
    expect(steps).toMatchObject([{ do: "assigned", assignment: { partition: 2, epoch: 4 } }]);
    expect(member.isAlive(old)).toBe(false);
  });

  it("F31, F35: unknown to the broker, it loses everything and joins again from epoch 0 at once", () => {
    const { member, beat } = settled();
    member.tick(16_000);
    member.compose(16_000, false);
    const steps = member.failed(16_001, "memberUnknown");
    expect(partitionsOf(steps, "lost")).toEqual([0, 1, 2]);
    expect(steps).toContainEqual(expect.objectContaining({ reason: "memberUnknown" }));
    expect(member.incarnation).toBe(2);
    const { heartbeat } = beat(16_101, answer(7, [0]));
    expect(heartbeat).toMatchObject({ memberEpoch: 0, owned: [] });
    expect(member.state).toMatchObject({ phase: "member", memberEpoch: 7 });
  });

  it("F32: says that a pause was the reason when it was", () => {
    const { member } = settled();
    member.guard.nextTickAtMs = 16_000;
    member.guard.observe(40_000, 40_000);
    expect(member.guard.mayDispatch(40_000)).toBe(false);
    member.tick(40_000);
    member.compose(40_000, false);
    expect(member.failed(40_001, "memberUnknown")).toContainEqual(
      expect.objectContaining({ reason: "sessionPaused" }),
    );
  });

  it("F35: an answer from before a new join says nothing", () => {
    const { member } = settled();
    member.tick(16_000);
    member.compose(16_000, false);
    member.memberUnknown(16_001);
    expect(member.answered(16_002, answer(2, [0, 1, 2]))).toEqual([]);
    expect(member.state).toMatchObject({ phase: "joining", memberEpoch: 0 });
    expect(member.guard.mayDispatch(16_002)).toBe(false);
  });

  it("leaves when the last partition is released; takes nothing any more meanwhile", () => {
    const { member, beat, at } = settled();
    expect(partitionsOf(member.leave(12_000, false), "revoking")).toEqual([0, 1, 2]);
    expect(partitionsOf(beat(12_001, answer(3, [0, 1, 2, 3])).steps, "assigned")).toEqual([]);
    for (const partition of [0, 1, 2]) member.release(12_100, at(partition));
    const { heartbeat, steps } = beat(12_101, answer(-1, null));
    expect(heartbeat.memberEpoch).toBe(-1);
    expect(steps).toEqual([{ do: "changed" }]);
    expect(member.state.phase).toBe("left");
    expect(member.nextTickAtMs(12_102)).toBe(Number.POSITIVE_INFINITY);
  });

  it("a leave before the first join was sent has nothing to undo", () => {
    const member = new GroupMember({ memberId: "m", topic: "t", drainLimitMs: 3_000 });
    member.leave(0, false);
    expect(member.state.phase).toBe("left");
  });

  it("F53: heartbeats know nothing of calls: the interval is the broker's for as long as nothing moves", () => {
    const { beat } = settled();
    for (let nowMs = 16_000; nowMs < 900_000; nowMs += 5_000)
      expect(beat(nowMs, answer(2, null)).steps).toEqual([]);
  });

  it("an expected change is looked for every 250 ms, for as long as was said", () => {
    const { member, beat } = settled();
    member.expectChange(12_000, 2_000);
    expect(member.nextTickAtMs(12_000)).toBe(12_000 - 1_000 + 250);
    beat(12_000, answer(2, null));
    expect(member.nextTickAtMs(12_001)).toBe(12_250);
    beat(13_999, answer(2, null));
    expect(member.nextTickAtMs(14_001)).toBe(18_999);
  });

  it("F18: a refusal by rights or limits is asked again more and more slowly, and nothing is thrown away", () => {
    const { member, at } = settled();
    let nowMs = 16_000;
    const waits: number[] = [];
    for (let turn = 0; turn < 8; turn++) {
      member.tick(nowMs);
      member.compose(nowMs, false);
      member.failed(nowMs, "refused");
      waits.push(member.nextTickAtMs(nowMs) - nowMs);
      nowMs = member.nextTickAtMs(nowMs);
    }
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 5_000, 5_000]);
    expect(member.isAlive(at(0))).toBe(true);
  });
});
