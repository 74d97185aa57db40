import type { Assignment } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { NO_TOPIC_ID } from "../../../cluster/cluster.ts";
import { decodeAssignment, decodeSubscription, encodeAssignment } from "../consumer-protocol.ts";
import type { JoinAnswer, JoinRequest } from "../exchange.ts";
import { assignmentsOf } from "../protocols.ts";
import { ClassicMember } from "./classic-member.ts";
import type { ClassicStep } from "./classic-step.ts";

const TOPIC_ID = "00000000-0000-0000-0000-000000000001";
const DRAIN_MS = 3_000;
const SESSION_MS = 9_000;
const GONE = new Map([["t", null]]);
const KNOWN = new Map([["t", { topicId: TOPIC_ID, partitionCount: 4 }]]);

const does = (steps: readonly ClassicStep[]) => steps.map((step) => step.do);
const partitionsOf = (steps: readonly ClassicStep[], kind: ClassicStep["do"]) =>
  steps.flatMap((step) =>
    step.do === kind && "assignment" in step ? [step.assignment.partition] : [],
  );
const assignment = (partitions: number[], userData: Buffer | null = null) =>
  encodeAssignment({ partitions: [{ topic: "t", partitions }], userData });
const claimsOf = ({ protocols }: JoinRequest) => {
  const [first] = protocols;
  const { owned, generation } = decodeSubscription(first?.metadata ?? Buffer.alloc(0)) ?? {};
  return { owned: owned?.flatMap(({ partitions }) => partitions) ?? [], generation };
};

/** A follower "m" of a group that "leader" leads. */
class Member {
  nowMs = 0;
  readonly held = new Map<number, Assignment>();
  readonly member = new ClassicMember({
    ...{ topic: "t", drainLimitMs: DRAIN_MS, sessionTimeoutMs: SESSION_MS },
    ...{ groupInstanceId: null as string | null, rack: null },
  });

  constructor() {
    expect(does(this.member.look(0, KNOWN))).toEqual(["join"]);
  }

  answer(generation: number, protocol: string, leaderId = "leader"): JoinAnswer {
    const memberId = "m";
    return { memberId, generation, protocol, leaderId, skipsAssignment: false, members: [] };
  }

  note(steps: readonly ClassicStep[]): readonly ClassicStep[] {
    for (const step of steps) {
      if (step.do === "assigned") this.held.set(step.assignment.partition, step.assignment);
      if (step.do === "lost") this.held.delete(step.assignment.partition);
    }
    return steps;
  }

  /** Through a join and a sync. */
  enter(generation: number, protocol: string, partitions: number[], userData?: Buffer) {
    const request = this.member.joinRequest(this.nowMs);
    const joined = this.member.joinAnswered(this.nowMs, {
      answer: this.answer(generation, protocol),
    });
    expect(does(joined)).toEqual(["sync"]);
    this.member.syncRequest(this.nowMs);
    const steps = this.note(
      this.member.syncAnswered(this.nowMs, { assignment: assignment(partitions, userData) }),
    );
    return { request, steps };
  }

  beat(outcome: Parameters<ClassicMember["heartbeatAnswered"]>[1]) {
    this.nowMs = Math.max(this.nowMs, this.member.nextTickAtMs(this.nowMs));
    this.note(this.member.tick(this.nowMs));
    this.member.heartbeat(this.nowMs);
    return this.note(this.member.heartbeatAnswered(this.nowMs, outcome));
  }

  at(partition: number): Assignment {
    return this.held.get(partition) as Assignment;
  }

  release(partition: number) {
    const steps = this.member.release(this.nowMs, this.at(partition));
    this.held.delete(partition);
    return this.note(steps);
  }
}

function entered(protocol: string, partitions: number[]): Member {
  const one = new Member();
  one.member.joinRequest(0);
  expect(does(one.member.joinAnswered(0, { memberId: "m" }))).toEqual(["join"]);
  one.enter(1, protocol, partitions);
  return one;
}

/** Through a join and a sync, as the only member. */
function joinsAsLeader(
  leader: Member,
  generation: number,
  looked: Parameters<ClassicMember["topicsRead"]>[1],
) {
  const { nowMs } = leader;
  const { protocols } = leader.member.joinRequest(nowMs);
  const metadata = protocols[0]?.metadata ?? Buffer.alloc(0);
  const answer = {
    ...leader.answer(generation, "cooperative-sticky", "m"),
    members: [{ memberId: "m", groupInstanceId: null, metadata }],
  };
  expect(does(leader.member.joinAnswered(nowMs, { answer }))).toEqual(["readTopics"]);
  expect(does(leader.member.topicsRead(nowMs, looked))).toEqual(["sync"]);
  const [own] = leader.member.syncRequest(nowMs).assignments;
  leader.note(leader.member.syncAnswered(nowMs, { assignment: own?.assignment ?? assignment([]) }));
  return leader.held;
}

function leads(): Member {
  const leader = new Member();
  joinsAsLeader(leader, 1, KNOWN);
  return leader;
}

describe("ClassicMember", () => {
  it("joins under the id that it is given, adopts, and heartbeats at a third of the session", () => {
    const one = entered("cooperative-sticky", [0, 1]);
    expect([...one.held.keys()]).toEqual([0, 1]);
    expect(one.at(0)).toEqual({ topic: "t", topicId: TOPIC_ID, partition: 0, epoch: 1 });
    expect(one.member.state).toMatchObject({ phase: "member", memberId: "m", memberEpoch: 1 });
    expect(one.beat(null)).toEqual([]);
    one.nowMs = 20_000;
    one.beat(null);
    expect(one.member.nextTickAtMs(20_000)).toBe(23_000);
  });

  it("offers the cooperative assignor first, and those that others may insist on", () => {
    const { protocols, rebalanceTimeoutMs, sessionTimeoutMs } = new Member().member.joinRequest(0);
    expect(protocols.map(({ name }) => name)).toEqual([
      "cooperative-sticky",
      "range",
      "roundrobin",
      "RoundRobinAssigner",
    ]);
    expect(sessionTimeoutMs).toBe(SESSION_MS);
    expect(rebalanceTimeoutMs).toBeGreaterThan(DRAIN_MS);
  });

  it("F30: cooperative: claims what it holds, keeps it over the rebalance, drains the rest and joins again when that is done", () => {
    const one = entered("cooperative-sticky", [0, 1, 2]);
    const kept = one.at(0);
    expect(does(one.beat("rebalancing"))).toEqual(["join"]);
    const { request, steps } = one.enter(2, "cooperative-sticky", [0]);
    expect(claimsOf(request)).toEqual({ owned: [0, 1, 2], generation: 1 });
    expect(partitionsOf(steps, "revoking")).toEqual([1, 2]);
    expect(one.at(0)).toBe(kept);
    // Whatever others do meanwhile, the coordinator waits for the drain.
    expect(does(one.beat("rebalancing"))).toEqual([]);
    expect(one.member.generation.ofCommits).toBe(2);
    expect(does(one.release(1))).toEqual([]);
    expect(does(one.release(2))).toEqual(["join"]);
    expect(claimsOf(one.member.joinRequest(one.nowMs))).toEqual({ owned: [0], generation: 2 });
  });

  it("F30: eager: drains everything before it joins, and claims nothing", () => {
    const one = entered("range", [0, 1]);
    const before = [one.at(0), one.at(1)];
    expect(partitionsOf(one.beat("rebalancing"), "revoking")).toEqual([0, 1]);
    expect(does(one.release(0))).toEqual([]);
    expect(one.member.generation.ofCommits).toBe(1);
    expect(does(one.release(1))).toEqual(["join"]);
    const { request, steps } = one.enter(2, "range", [0, 1]);
    expect(claimsOf(request)).toEqual({ owned: [], generation: -1 });
    expect(partitionsOf(steps, "assigned")).toEqual([0, 1]);
    for (const old of before) expect(one.member.held.has(old)).toBe(false);
  });

  it("F30: a drain ends with its limit, and within the time that the coordinator waits", () => {
    const one = entered("range", [0]);
    const [revoking] = one.beat("rebalancing");
    const deadlineMs = revoking?.do === "revoking" ? revoking.deadlineMs : 0;
    expect(deadlineMs).toBeLessThanOrEqual(one.nowMs + DRAIN_MS);
    one.nowMs = deadlineMs;
    const steps = one.note(one.member.tick(deadlineMs));
    expect(steps).toContainEqual({
      ...{ do: "lost", reason: "drainLimit" },
      assignment: expect.objectContaining({ partition: 0 }),
    });
    expect(does(steps)).toContain("join");
  });

  it("I-5: between a join and its assignment there is no generation to commit under", () => {
    const one = entered("cooperative-sticky", [0]);
    one.beat("rebalancing");
    one.member.joinRequest(one.nowMs);
    expect(one.member.generation.ofCommits).toBe(1);
    one.member.joinAnswered(one.nowMs, { answer: one.answer(2, "cooperative-sticky") });
    expect(one.member.generation.ofCommits).toBeNull();
    one.member.syncAnswered(one.nowMs, { assignment: assignment([0]) });
    expect(one.member.generation.ofCommits).toBe(2);
  });

  describe("F30, F36: when strangers make a cooperative group eager", () => {
    /** What a leader of ours sends: range over "m", which claims 0 to 3, and one that claims nothing. */
    function honoured(one: Member): Buffer {
      const view = (memberId: string, partitions: number[]) => ({
        ...{ memberId, groupInstanceId: null, topics: ["t"], generation: 1 },
        owned: [{ topic: "t", partitions }],
      });
      const members = [view("m", [...one.held.keys()]), { ...view("z", []), owned: [] }];
      const all = assignmentsOf("range", members, new Map([["t", 4]]));
      expect(all.find(({ memberId }) => memberId === "z")?.assignment).toEqual(
        encodeAssignment({ partitions: [], userData: Buffer.from("penstock/claims-honoured") }),
      );
      return all.find(({ memberId }) => memberId === "m")?.assignment ?? Buffer.alloc(0);
    }

    it("and the leader is ours: what it withheld from the others drains here, then the rest, before the next join", () => {
      const one = entered("cooperative-sticky", [0, 1, 2, 3]);
      one.beat("rebalancing");
      const own = honoured(one);
      one.member.joinRequest(one.nowMs);
      one.member.joinAnswered(one.nowMs, { answer: one.answer(2, "range") });
      const steps = one.note(one.member.syncAnswered(one.nowMs, { assignment: own }));
      expect(partitionsOf(steps, "lost")).toEqual([]);
      expect(partitionsOf(steps, "revoking")).toEqual([2, 3, 0, 1]);
      expect(one.member.generation.ofCommits).toBe(2);
      for (const partition of [2, 3, 0]) expect(does(one.release(partition))).toEqual([]);
      expect(does(one.release(1))).toEqual(["join"]);
    });

    it("I-5: and the leader is one of theirs: nothing is dispatched until the assignment is known, and what is not in it is lost", () => {
      const one = entered("cooperative-sticky", [0, 1]);
      one.beat("rebalancing");
      one.member.joinRequest(one.nowMs);
      one.member.joinAnswered(one.nowMs, { answer: one.answer(2, "RoundRobinAssigner") });
      expect(one.member.isOwnershipUncertain).toBe(true);
      const kept = one.at(0);
      const steps = one.note(one.member.syncAnswered(one.nowMs, { assignment: assignment([0]) }));
      expect(one.member.isOwnershipUncertain).toBe(false);
      expect(partitionsOf(steps, "lost")).toEqual([1]);
      expect(one.member.held.has(kept)).toBe(true);
    });
  });

  describe("I-18, F30: what a member claims that has missed the assignment of a generation", () => {
    function outrun(): Member {
      const one = entered("cooperative-sticky", [0, 1]);
      one.beat("rebalancing");
      one.member.joinRequest(one.nowMs);
      one.member.joinAnswered(one.nowMs, { answer: one.answer(2, "cooperative-sticky") });
      one.member.syncRequest(one.nowMs);
      const again = one.member.syncAnswered(one.nowMs, { failure: "rebalancing" });
      expect(does(again)).toEqual(["join"]);
      expect(claimsOf(one.member.joinRequest(one.nowMs))).toEqual({ owned: [0, 1], generation: 1 });
      one.member.joinAnswered(one.nowMs, { answer: one.answer(3, "cooperative-sticky") });
      expect(one.member.isOwnershipUncertain).toBe(true);
      return one;
    }

    it("is lost where the leader gives it to nobody: Java's heed no old claims, so it may be another's", () => {
      const one = outrun();
      const kept = one.at(0);
      const steps = one.note(one.member.syncAnswered(one.nowMs, { assignment: assignment([0]) }));
      expect(partitionsOf(steps, "lost")).toEqual([1]);
      expect(one.member.held.has(kept)).toBe(true);
      expect(does(steps)).toContain("join");
      const { steps: next } = one.enter(4, "cooperative-sticky", []);
      expect(partitionsOf(next, "revoking"), "claims of the newest generation").toEqual([0]);
    });

    it("drains where the leader is ours, which says that it heeds them", () => {
      const one = outrun();
      const view = (memberId: string, partitions: number[]) => ({
        ...{ memberId, groupInstanceId: null, topics: ["t"], generation: 1 },
        owned: [{ topic: "t", partitions }],
      });
      const counts = new Map([["t", 2]]);
      const members = [view("m", [0, 1]), view("z", [])];
      const all = assignmentsOf("cooperative-sticky", members, counts);
      const own = all.find(({ memberId }) => memberId === "m")?.assignment ?? Buffer.alloc(0);
      const steps = one.note(one.member.syncAnswered(one.nowMs, { assignment: own }));
      expect(partitionsOf(steps, "lost")).toEqual([]);
      expect(partitionsOf(steps, "revoking")).toHaveLength(1);
      const settled = assignmentsOf("cooperative-sticky", [view("m", [0]), view("z", [1])], counts);
      for (const { assignment: given } of settled)
        expect(decodeAssignment(given)?.userData, "brokers can convert the group").toBeNull();
    });
  });

  it("F32, F35: unknown at the coordinator: everything is lost, and it joins as a new one", () => {
    const one = entered("cooperative-sticky", [0, 1]);
    const incarnation = one.member.incarnation;
    const steps = one.beat("memberUnknown");
    expect(partitionsOf(steps, "lost")).toEqual([0, 1]);
    expect(steps[0]).toMatchObject({ reason: "memberUnknown" });
    expect(does(steps)).toContain("join");
    expect(one.member.joinRequest(one.nowMs).memberId).toBe("");
    expect(one.member.incarnation).toBe(incarnation + 1);
    expect(one.member.guard.mayDispatch(one.nowMs)).toBe(false);
  });

  it("F35: another generation at the coordinator: cooperative: claims what it holds; eager: has lost it", () => {
    const cooperative = entered("cooperative-sticky", [0]);
    expect(does(cooperative.beat("otherGeneration"))).toEqual(["join"]);
    expect(claimsOf(cooperative.member.joinRequest(cooperative.nowMs)).owned).toEqual([0]);
    const eager = entered("range", [0]);
    expect(does(eager.beat("otherGeneration"))).toEqual(["lost", "join"]);
  });

  it("F07: a join or sync whose answer doesn't come while heartbeats say that nothing is waited for is sent again", () => {
    const one = entered("cooperative-sticky", [0]);
    one.beat("rebalancing");
    one.member.joinRequest(one.nowMs);
    expect(does(one.beat("otherGeneration"))).toEqual([]);
    one.nowMs += 4_000;
    expect(does(one.beat("otherGeneration"))).toEqual(["dropJoin"]);
    one.nowMs += 1_000;
    expect(does(one.member.tick(one.nowMs))).toContain("join");
  });

  it("I-18, F07: a join that still waits for its connection is never given up for what heartbeats say", () => {
    const one = entered("cooperative-sticky", [0, 1]);
    one.beat("rebalancing");
    one.enter(2, "cooperative-sticky", [0]);
    expect(does(one.release(1))).toEqual(["join"]);
    for (let second = 0; second < 50; second++) {
      one.nowMs += 1_000;
      expect(does(one.beat(null))).toEqual([]);
    }
    // What was asked before the coordinator could have it says nothing either.
    one.nowMs += 3_000;
    one.member.tick(one.nowMs);
    one.member.heartbeat(one.nowMs);
    one.member.joinRequest(one.nowMs + 1_000);
    one.nowMs += 6_000;
    expect(does(one.member.heartbeatAnswered(one.nowMs, null))).toEqual([]);
    expect(does(one.beat(null))).toEqual(["dropJoin"]);
  });

  it("F53: heartbeats go on while a join waits, and prove the member", () => {
    const one = entered("cooperative-sticky", [0]);
    one.beat("rebalancing");
    one.member.joinRequest(one.nowMs);
    for (let round = 0; round < 40; round++) one.beat("rebalancing");
    expect(one.nowMs).toBeGreaterThan(SESSION_MS);
    expect(one.member.guard.mayDispatch(one.nowMs)).toBe(true);
  });

  it("a session timeout that the brokers refuse is replaced by another one, and a refusal of all of them is not hammered", () => {
    const one = new Member();
    const tried: number[] = [];
    let steps: ClassicStep[] = [{ do: "join" }];
    while (steps.some((step) => step.do === "join") && tried.length < 20) {
      tried.push(one.member.joinRequest(0).sessionTimeoutMs);
      steps = one.member.joinAnswered(0, { failure: "sessionRefused" });
    }
    expect(tried).toEqual([9_000, 30_000, 10_000, 6_000, 60_000, 120_000, 300_000]);
    expect(one.member.nextTickAtMs(0)).toBeGreaterThan(0);
  });

  it("F14: what it holds of a topic that was made again is lost, and what it is assigned is adopted of the new one", () => {
    const one = entered("cooperative-sticky", [0]);
    const topicId = TOPIC_ID.replace(/1$/, "2");
    const steps = one.note(one.member.look(1, new Map([["t", { topicId, partitionCount: 4 }]])));
    expect(does(steps)).toEqual(["lost", "assigned", "changed"]);
    expect(one.at(0).topicId).toBe(topicId);
    expect(does(one.member.look(2, GONE))).toEqual([]);
    expect(does(one.member.look(20_000, GONE))).toEqual(["revoking"]);
  });

  it("F01, I-3: one answer that the topic is missing changes nothing; one that is repeated for seconds drains", () => {
    const one = entered("cooperative-sticky", [0]);
    const kept = one.at(0);
    expect(does(one.member.look(10_000, GONE))).toEqual([]);
    expect(one.member.needsTopic, "looks again soon").toBe(true);
    expect(does(one.member.look(10_500, KNOWN))).toEqual([]);
    expect(does(one.member.look(30_000, GONE)), "doubt begins anew").toEqual([]);
    expect(does(one.member.look(39_000, GONE))).toEqual([]);
    expect(one.member.held.has(kept)).toBe(true);
    expect(does(one.member.look(41_000, GONE))).toEqual(["revoking"]);
    expect(does(one.member.look(42_000, KNOWN)), "not while the lanes still drain").toEqual([]);
    one.release(0);
    expect(does(one.note(one.member.look(43_000, KNOWN)))).toEqual(["assigned", "changed"]);
  });

  it("F01: a leader keeps the partitions that it knew of a topic that a broker doesn't know yet", () => {
    const leader = leads();
    expect(does(leader.member.look(1_000, GONE))).toEqual([]);
    leader.nowMs = 1_000;
    expect(does(leader.beat("rebalancing"))).toContain("join");
    expect([...(joinsAsLeader(leader, 2, GONE)?.keys() ?? [])]).toEqual([0, 1, 2, 3]);
  });

  it("I-18: a leader that may not see its topic any more holds nobody up, and assigns what it knew of it", () => {
    const leader = leads();
    leader.nowMs = 1_000;
    expect(does(leader.beat("rebalancing"))).toContain("join");
    expect([...joinsAsLeader(leader, 2, new Map()).keys()]).toEqual([0, 1, 2, 3]);
  });

  it("an assignment that can't be read counts as empty, and is told until the next", () => {
    const one = entered("cooperative-sticky", [0]);
    one.beat("rebalancing");
    one.member.joinRequest(one.nowMs);
    one.member.joinAnswered(one.nowMs, { answer: one.answer(2, "cooperative-sticky") });
    const steps = one.member.syncAnswered(one.nowMs, { assignment: Buffer.from([0, 1, 0x7f]) });
    expect(partitionsOf(steps, "revoking")).toEqual([0]);
    expect(one.member.generation.isUnreadable).toBe(true);
    one.release(0);
    one.enter(3, "cooperative-sticky", []);
    expect(one.member.generation.isUnreadable).toBe(false);
  });

  it("F01, I-6: brokers that have ids for topics, or not yet, or not any more, take nothing away", () => {
    const one = new Member();
    const id = (topicId: string) => new Map([["t", { topicId, partitionCount: 4 }]]);
    one.member.look(0, id(NO_TOPIC_ID));
    one.enter(1, "cooperative-sticky", [0]);
    const kept = one.at(0);
    for (const topicId of [TOPIC_ID, NO_TOPIC_ID, TOPIC_ID])
      expect(does(one.member.look(1, id(topicId)))).toEqual([]);
    expect(one.member.held.has(kept)).toBe(true);
    one.member.look(2, id(NO_TOPIC_ID));
    const other = TOPIC_ID.replace(/1$/, "2");
    expect(does(one.member.look(3, id(other))), "the id was kept").toContain("lost");
  });

  it("F15: only the leader joins again for added partitions", () => {
    const more = new Map([["t", { topicId: TOPIC_ID, partitionCount: 9 }]]);
    const follower = entered("cooperative-sticky", [0]);
    expect(does(follower.member.look(1, more))).toEqual([]);
    const leader = leads();
    expect([...leader.held.keys()]).toEqual([0, 1, 2, 3]);
    expect(does(leader.member.look(1, KNOWN))).toEqual([]);
    expect(does(leader.member.look(2, more))).toEqual(["join"]);
  });

  it("F15: a static member that came back where brokers name the leader by its former id joins once more, by its own", () => {
    const one = new Member();
    expect(one.member.joinRequest(0).memberId).toBe("");
    const answer = { ...one.answer(7, "cooperative-sticky", "m-before"), mayHideLeader: true };
    expect(does(one.member.joinAnswered(0, { answer }))).toEqual(["join"]);
    const { request } = one.enter(7, "cooperative-sticky", [0]);
    expect(request.memberId).toBe("m");
    expect(claimsOf(request), "the same as before: a follower rebalances nobody").toEqual({
      ...{ owned: [], generation: -1 },
    });
    expect([...one.held.keys()]).toEqual([0]);
    const leader = new Member();
    leader.member.joinRequest(0);
    const leads = { ...leader.answer(8, "cooperative-sticky", "m"), mayHideLeader: true };
    expect(does(leader.member.joinAnswered(0, { answer: leads }))).toEqual(["readTopics"]);
  });

  it("L-3: leaves when everything is drained, and sends nothing more", () => {
    const one = entered("cooperative-sticky", [0]);
    const steps = one.member.leave(0, false);
    expect(partitionsOf(steps, "revoking")).toEqual([0]);
    one.beat("rebalancing");
    expect(does(one.release(0))).toEqual(["leave"]);
    expect(does(one.member.abort())).toEqual(["changed"]);
    expect(one.member.nextTickAtMs(0)).toBe(Number.POSITIVE_INFINITY);
  });
});
