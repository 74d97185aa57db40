import type { Assignment, LostReason } from "@penstock/core";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { NO_TOPIC_ID } from "../../cluster/cluster.ts";
import {
  decodeAssignment,
  encodeAssignment,
  encodeSubscription,
} from "../../group/classic/consumer-protocol.ts";
import { FakeBrokers } from "../testing/fake-brokers.ts";
import { EagerMembership } from "./eager-membership.ts";
import type { CoordinatorRequests, Enrolment } from "./group-requests.ts";
import { FOREIGN_TOPICS_MAX } from "./join.ts";

const SESSION_MS = 9_000;
const HEARTBEAT_MS = 3_000;
const REBALANCE_IN_PROGRESS = 27;
const UNKNOWN_MEMBER = 25;
/** Instead of a code: the join waits for other members. */
const NEVER = -99;

/** A coordinator of one member: every join is a new generation with both partitions. */
class FakeCoordinator implements CoordinatorRequests {
  generation = 0;
  beatCode = 0;
  isSilent = false;
  readonly beats: Enrolment[] = [];
  readonly joins: string[] = [];
  readonly left: string[] = [];
  pings = 0;
  hangUps = 0;
  /** Codes of the next joins; then they succeed. */
  joinCodes: number[] = [];
  /** Of another member, which this one leads; null: the other leads. */
  foreignTopics: readonly string[] | null = null;
  /** Topics that the leader gave to the other member. */
  given: string[] = [];

  coordinator(): never {
    throw new Error("not asked here");
  }

  elsewhere(): void {}

  async join(memberId: string) {
    this.joins.push(memberId);
    const errorCode = this.joinCodes.shift() ?? 0;
    if (errorCode === NEVER) await new Promise(() => {});
    if (errorCode === 0) this.generation++;
    const ownId = memberId === "" ? `member-${this.joins.length}` : memberId;
    const isLed = this.foreignTopics === null;
    const members = isLed ? [] : [joined(ownId, ["orders"]), joined("other", this.foreignTopics)];
    return {
      ...{ errorCode, generationId: this.generation, groupProtocol: "range", members },
      ...{ leaderId: isLed ? "other" : ownId, memberId: ownId },
    };
  }

  async sync(
    _enrolment: Enrolment,
    given: readonly { memberId: string; memberAssignment: Buffer }[],
  ) {
    const row = given.find(({ memberId }) => memberId === "other");
    const taken = row && decodeAssignment(row.memberAssignment)?.partitions;
    this.given = (taken ?? []).map(({ topic }) => topic);
    const partitions = [{ topic: "orders", partitions: [0, 1] }];
    this.beatCode = 0;
    return { errorCode: 0, memberAssignment: encodeAssignment({ partitions, userData: null }) };
  }

  async heartbeat(enrolment: Enrolment): Promise<number> {
    this.beats.push(enrolment);
    if (this.isSilent) throw new Error("no answer");
    return this.beatCode;
  }

  async ping(): Promise<void> {
    this.pings++;
    if (this.isSilent) throw new Error("no answer");
  }

  async leave(memberId: string): Promise<void> {
    this.left.push(memberId);
  }

  hangUp(): void {
    this.hangUps++;
  }
}

function joined(memberId: string, topics: readonly string[] | null) {
  const member = { topics: topics ?? [], owned: [], generation: -1, rack: null, userData: null };
  return { memberId, memberMetadata: encodeSubscription(member) };
}

class Bench {
  readonly problems: (string | undefined)[] = [];
  readonly coordinator = new FakeCoordinator();
  readonly brokers = new FakeBrokers();
  readonly assigned: Assignment[] = [];
  readonly revoking: Assignment[] = [];
  readonly lost: [number, LostReason][] = [];
  wallAheadMs = 0;
  readonly membership = new EagerMembership(
    {
      client: this.brokers,
      requests: this.coordinator,
      groupId: "g",
      drainLimitMs: 2_000,
      sessionTimeoutMs: SESSION_MS,
      clock: { nowMs: () => performance.now(), wallMs: () => performance.now() + this.wallAheadMs },
    },
    {
      assigned: (assignment) => this.assigned.push(assignment),
      revoking: (assignment) => this.revoking.push(assignment),
      lost: ({ partition }, reason) => this.lost.push([partition, reason]),
      changed: () => {},
      problem: (problem) => this.problems.push(problem?.code),
    },
  );

  async started(): Promise<this> {
    this.membership.start();
    await vi.advanceTimersByTimeAsync(0);
    return this;
  }
}

describe("EagerMembership", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "performance"] });
  });
  afterEach(() => {
    vi.useRealTimers();
  });

  it("F53: beats in the group's pace whatever anybody else does, and a member may dispatch", async () => {
    const { coordinator, membership } = await new Bench().started();
    expect(membership.mayDispatch()).toBe(true);
    await vi.advanceTimersByTimeAsync(10 * HEARTBEAT_MS);
    expect(coordinator.beats).toEqual(Array(10).fill({ memberId: "member-1", generation: 1 }));
    membership.abort();
  });

  it("K-1, I-5: an assignment commits under its own generation, and is dead in the next one", async () => {
    const { coordinator, membership, assigned, revoking } = await new Bench().started();
    const [first] = assigned as [Assignment];
    expect(membership.commitEpoch(first)).toBe(1);
    coordinator.beatCode = REBALANCE_IN_PROGRESS;
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    expect(revoking).toEqual(assigned);
    // Kafka takes what is committed while it waits for everybody to join.
    expect(membership.commitEpoch(first)).toBe(1);
    for (const assignment of revoking) membership.release(assignment);
    await vi.advanceTimersByTimeAsync(0);
    expect(assigned.map(({ epoch }) => epoch)).toEqual([1, 1, 2, 2]);
    expect(membership.commitEpoch(first)).toBeNull();
    expect(membership.isAlive(first)).toBe(false);
    expect(membership.commitEpoch(assigned[2] as Assignment)).toBe(2);
    membership.abort();
  });

  it("F30: lanes drain for at most the drain limit, and heartbeats go on meanwhile", async () => {
    const { coordinator, membership, lost } = await new Bench().started();
    coordinator.beatCode = REBALANCE_IN_PROGRESS;
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    const beats = coordinator.beats.length;
    await vi.advanceTimersByTimeAsync(1_900);
    expect(coordinator.beats.length).toBeGreaterThan(beats + 3);
    expect(lost).toEqual([]);
    await vi.advanceTimersByTimeAsync(200);
    expect(lost).toEqual([
      [0, "drainLimit"],
      [1, "drainLimit"],
    ]);
    expect(coordinator.joins).toEqual(["", "member-1"]);
    membership.abort();
  });

  it("F35: a member that Kafka doesn't know loses everything and joins as a new one", async () => {
    const { coordinator, membership, lost } = await new Bench().started();
    coordinator.beatCode = UNKNOWN_MEMBER;
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    expect(lost.map(([, reason]) => reason)).toEqual(["memberUnknown", "memberUnknown"]);
    expect(coordinator.joins).toEqual(["", ""]);
    expect(membership.memberId).toBe("member-2");
    membership.abort();
  });

  it("F32, F33: after a pause nothing is dispatched until a heartbeat has succeeded", async () => {
    const bench = await new Bench().started();
    await vi.advanceTimersByTimeAsync(1);
    bench.wallAheadMs += 60_000;
    expect(bench.membership.mayDispatch()).toBe(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(bench.membership.mayDispatch()).toBe(true);
    await vi.advanceTimersByTimeAsync(1);
    bench.wallAheadMs += 60_000;
    bench.coordinator.beatCode = UNKNOWN_MEMBER;
    expect(bench.membership.mayDispatch()).toBe(false);
    await vi.advanceTimersByTimeAsync(0);
    expect(bench.lost.map(([, reason]) => reason)).toEqual(["sessionPaused", "sessionPaused"]);
    bench.membership.abort();
  });

  it("F06: without answers it stops dispatching before the session runs out, and then everything is lost", async () => {
    const { coordinator, membership, lost } = await new Bench().started();
    coordinator.isSilent = true;
    await vi.advanceTimersByTimeAsync(SESSION_MS - 1_000);
    expect(membership.mayDispatch()).toBe(false);
    expect(lost).toEqual([]);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(lost.map(([, reason]) => reason)).toEqual(["sessionPaused", "sessionPaused"]);
    membership.abort();
  });

  it("another session is tried when the brokers refuse it, and the member id that they give is taken", async () => {
    const bench = new Bench();
    bench.coordinator.joinCodes = [26, 79];
    const { coordinator, membership } = await bench.started();
    expect(coordinator.joins).toEqual(["", "", "member-2"]);
    expect(membership.memberId).toBe("member-2");
    membership.abort();
  });

  it("F14: a topic that was made again is another one: nothing of the old assignments counts", async () => {
    const { brokers, membership, lost, assigned } = await new Bench().started();
    brokers.topicId = "0f3d2c1b-0000-4000-8000-00000000000b";
    await vi.advanceTimersByTimeAsync(15_000);
    expect(lost.map(([, reason]) => reason)).toEqual(["fenced", "fenced"]);
    expect(assigned.at(-1)?.topicId).toBe(brokers.topicId);
    membership.abort();
  });

  it("F14, F15: brokers that answer with and without topic ids, as in a roll, take nothing away, and the id that is known is kept", async () => {
    const bench = new Bench();
    const { brokers, coordinator, membership, lost, assigned } = bench;
    const { topicId } = brokers;
    brokers.topicId = NO_TOPIC_ID;
    await bench.started();
    for (const told of [topicId, NO_TOPIC_ID, topicId, NO_TOPIC_ID]) {
      brokers.topicId = told;
      await vi.advanceTimersByTimeAsync(15_000);
    }
    expect(lost).toEqual([]);
    coordinator.beatCode = UNKNOWN_MEMBER;
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    expect(assigned.map((one) => one.topicId)).toEqual([
      ...[NO_TOPIC_ID, NO_TOPIC_ID],
      ...[topicId, topicId],
    ]);
    lost.length = 0;
    brokers.topicId = "0f3d2c1b-0000-4000-8000-00000000000b";
    await vi.advanceTimersByTimeAsync(15_000);
    expect(lost.map(([, reason]) => reason)).toEqual(["fenced", "fenced"]);
    membership.abort();
  });

  it("F14: everything of a topic that is gone is given back, and the group is left until it is there again", async () => {
    const { brokers, coordinator, membership, revoking, assigned } = await new Bench().started();
    brokers.isTopicMissing = true;
    await vi.advanceTimersByTimeAsync(30_000);
    expect(revoking).toEqual(assigned);
    expect(coordinator.left).toEqual(["member-1"]);
    brokers.isTopicMissing = false;
    await vi.advanceTimersByTimeAsync(6_000);
    expect(assigned).toHaveLength(4);
    membership.abort();
  });

  it("F02, F14: a broker that has just started and knows of no topic for some seconds takes nothing away", async () => {
    const { brokers, membership, revoking, lost } = await new Bench().started();
    // Over two looks.
    for (const [wellMs, missingMs] of [
      [10_000, 6_000],
      [30_000, 6_000],
    ] as const) {
      await vi.advanceTimersByTimeAsync(wellMs);
      brokers.isTopicMissing = true;
      await vi.advanceTimersByTimeAsync(missingMs);
      brokers.isTopicMissing = false;
    }
    await vi.advanceTimersByTimeAsync(30_000);
    expect([revoking, lost]).toEqual([[], []]);
    membership.abort();
  });

  it("F02, F14: nor does a member that joins meanwhile give up its place in the group", async () => {
    const { brokers, coordinator, membership, revoking, lost } = await new Bench().started();
    brokers.isTopicMissing = true;
    coordinator.beatCode = REBALANCE_IN_PROGRESS;
    await vi.advanceTimersByTimeAsync(HEARTBEAT_MS);
    for (const assignment of revoking) membership.release(assignment);
    await vi.advanceTimersByTimeAsync(2_000);
    brokers.isTopicMissing = false;
    await vi.advanceTimersByTimeAsync(6_000);
    expect([lost, coordinator.left, coordinator.joins]).toEqual([[], [], ["", "member-1"]]);
    membership.abort();
  });

  it("F36: topics of other members are given to them, and one that was deleted holds up nobody", async () => {
    const bench = new Bench();
    const { coordinator, brokers, membership } = bench;
    coordinator.foreignTopics = ["theirs", "deleted"];
    brokers.goneTopics.add("deleted");
    await bench.started();
    expect(coordinator.given).toEqual(["theirs"]);
    expect(brokers.askedTopics).toEqual(["theirs", "deleted"]);
    expect(bench.assigned).toHaveLength(2);
    membership.abort();
  });

  it("F36: topics of other members above the limit are told, and ours is never among those left out", async () => {
    const bench = new Bench();
    const { coordinator, brokers, membership } = bench;
    coordinator.foreignTopics = Array.from({ length: FOREIGN_TOPICS_MAX + 2 }, (_, i) => `t${i}`);
    await bench.started();
    await vi.advanceTimersByTimeAsync(2 * HEARTBEAT_MS);
    expect(brokers.askedTopics).toHaveLength(FOREIGN_TOPICS_MAX);
    expect(new Set(bench.problems)).toEqual(new Set(["kafkaUnsupported"]));
    expect(bench.assigned).toHaveLength(2);
    coordinator.foreignTopics = ["theirs"];
    coordinator.beatCode = UNKNOWN_MEMBER;
    await vi.advanceTimersByTimeAsync(2 * HEARTBEAT_MS);
    expect(bench.problems.at(-1)).toBeUndefined();
    membership.abort();
  });

  it("a join may wait for others, but not for a coordinator that answers nothing; it is left while it waits (F80)", async () => {
    const bench = new Bench();
    bench.coordinator.joinCodes = [79, NEVER];
    const { coordinator, membership } = await bench.started();
    await vi.advanceTimersByTimeAsync(60_000);
    expect([coordinator.pings > 5, coordinator.hangUps]).toEqual([true, 0]);
    coordinator.isSilent = true;
    await vi.advanceTimersByTimeAsync(6_000);
    expect(coordinator.hangUps).toBe(1);
    const leaving = membership.leave();
    await vi.advanceTimersByTimeAsync(3_000);
    await leaving;
    expect(coordinator.left).toEqual(["member-1"]);
  });

  it("F80: leaves when its lanes have drained", async () => {
    const { coordinator, membership, revoking } = await new Bench().started();
    const leaving = membership.leave();
    await vi.advanceTimersByTimeAsync(500);
    expect(coordinator.left).toEqual([]);
    for (const assignment of revoking) membership.release(assignment);
    await leaving;
    expect(coordinator.left).toEqual(["member-1"]);
  });
});
