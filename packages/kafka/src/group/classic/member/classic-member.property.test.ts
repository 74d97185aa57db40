import type { Assignment } from "@penstock/core";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { assignRanges } from "../assignors/range.ts";
import { decodeAssignment, encodeAssignment, encodeSubscription } from "../consumer-protocol.ts";
import type { JoinOutcome, SyncOutcome } from "../exchange.ts";
import { isCooperative, viewMembers } from "../protocols.ts";
import { ModelClassicCoordinator } from "../testing/model-classic-coordinator.ts";
import { ClassicMember } from "./classic-member.ts";
import type { ClassicStep } from "./classic-step.ts";

const TOPIC = "t";
const TOPIC_ID = "00000000-0000-0000-0000-000000000001";
const DRAIN_MS = 3_000;

/** One of ours, with the lanes of what it was assigned, and the answers that are on their way to it. */
class Actor {
  readonly held = new Map<Assignment, "live" | "draining">();
  readonly inbox: (() => void)[] = [];
  isDead = false;
  /** Answers of before a lost connection reach nobody. */
  connection = 0;
  readonly member = new ClassicMember({
    ...{ topic: TOPIC, drainLimitMs: DRAIN_MS, sessionTimeoutMs: 6_000 },
    ...{ groupInstanceId: null, rack: null },
  });
}

/** A member of another client that can range only: gives everything up before it joins. */
class Foreign {
  memberId = "";
  generation = -1;
  held = new Set<number>();
  isIn = true;
  isJoining = false;
  /** As the leader: for how many partitions it made the assignment. */
  assigned: number | null = null;
}

class World {
  nowMs = 1_000;
  partitions = 4;
  readonly coordinator = new ModelClassicCoordinator();
  readonly actors: Actor[] = [];
  readonly foreigners: Foreign[] = [];
  readonly committed = new Map<number, number>();
  /** A leader of another client knows nothing of claims: what it does in a generation entered with claims is not ours to promise. */
  isForeignTransition = false;
  adoptions = 0;
  drains = 0;
  /** What was taken without a drain, though the member was never out. */
  losses = 0;

  open(): void {
    const actor = new Actor();
    this.actors.push(actor);
    this.apply(actor, actor.member.look(this.nowMs, this.known()));
    this.tick(actor);
  }

  known() {
    return new Map([[TOPIC, { topicId: TOPIC_ID, partitionCount: this.partitions }]]);
  }

  apply(actor: Actor, steps: readonly ClassicStep[]): void {
    for (const step of steps) this.do(actor, step);
  }

  do(actor: Actor, step: ClassicStep): void {
    const { member, held } = actor;
    switch (step.do) {
      case "assigned":
        this.adoptions++;
        expect([...held.keys()].some((one) => one.partition === step.assignment.partition)).toBe(
          false,
        );
        held.set(step.assignment, "live");
        this.checkExclusion();
        break;
      case "revoking":
        this.drains++;
        expect(held.get(step.assignment)).toBe("live");
        held.set(step.assignment, "draining");
        break;
      case "lost":
        this.losses += Number(step.reason === "fenced");
        expect(held.delete(step.assignment)).toBe(true);
        break;
      case "join":
        this.join(actor);
        break;
      case "readTopics":
        actor.inbox.push(() => this.apply(actor, member.topicsRead(this.nowMs, this.known())));
        break;
      case "sync":
        this.sync(actor);
        break;
      case "heartbeat": {
        const outcome = this.coordinator.heartbeat(member.heartbeat(this.nowMs));
        actor.inbox.push(() => this.apply(actor, member.heartbeatAnswered(this.nowMs, outcome)));
        break;
      }
      case "leave":
        this.coordinator.leave(member.state.memberId);
        this.apply(actor, member.abort());
        break;
      case "dropJoin":
        actor.connection++;
    }
  }

  join(actor: Actor): void {
    const request = actor.member.joinRequest(this.nowMs);
    const { connection } = actor;
    const live = [...actor.held.values()];
    expect(live.includes("draining"), "nothing drains while a join is on its way").toBe(false);
    this.coordinator.join(request, (outcome: JoinOutcome) => {
      const isClaimed = live.length > 0;
      if ("answer" in outcome && isClaimed && this.isLedByForeigner()) {
        if (!isCooperative(outcome.answer.protocol)) this.isForeignTransition = true;
      }
      actor.inbox.push(() => {
        if (connection === actor.connection)
          this.apply(actor, actor.member.joinAnswered(this.nowMs, outcome));
      });
    });
  }

  sync(actor: Actor): void {
    const { connection } = actor;
    this.coordinator.sync(actor.member.syncRequest(this.nowMs), (outcome: SyncOutcome) =>
      actor.inbox.push(() => {
        if (connection === actor.connection)
          this.apply(actor, actor.member.syncAnswered(this.nowMs, outcome));
      }),
    );
  }

  isLedByForeigner(): boolean {
    return this.foreigners.some(({ memberId }) => memberId === this.coordinator.leaderId);
  }

  tick(actor: Actor): void {
    if (!actor.isDead) this.apply(actor, actor.member.tick(this.nowMs));
  }

  deliver(actor: Actor): void {
    if (!actor.isDead) actor.inbox.shift()?.();
  }

  /** The connection for joins ends. */
  cut(actor: Actor): void {
    if (actor.isDead) return;
    actor.connection++;
    this.apply(actor, actor.member.joinAnswered(this.nowMs, { failure: "transient" }));
    this.apply(actor, actor.member.syncAnswered(this.nowMs, { failure: "transient" }));
  }

  release(actor: Actor): void {
    const [draining] = [...actor.held].find(([, how]) => how === "draining") ?? [];
    if (!draining || actor.isDead) return;
    this.commit(actor, draining);
    actor.held.delete(draining);
    this.apply(actor, actor.member.release(this.nowMs, draining));
  }

  /** I-5: what Kafka takes from us for a partition, nobody else could own. */
  commit(actor: Actor, assignment: Assignment): void {
    const { member } = actor;
    const generation = member.generation.ofCommits;
    if (!member.held.has(assignment) || generation === null) return;
    if (!this.coordinator.commit(member.state.memberId, generation)) return;
    if (this.isForeignTransition) return;
    expect(this.holders(assignment.partition), "the one who commits is the one who holds").toBe(1);
  }

  holders(partition: number): number {
    const ours = this.actors.filter(
      ({ held, member, isDead }) =>
        !isDead &&
        this.coordinator.knows(member.state.memberId) &&
        [...held.keys()].some((one) => one.partition === partition),
    );
    const theirs = this.foreigners.filter(({ held, memberId }) => {
      return this.coordinator.knows(memberId) && held.has(partition);
    });
    return ours.length + theirs.length;
  }

  checkExclusion(): void {
    if (this.isForeignTransition) return;
    for (let partition = 0; partition < this.partitions; partition++)
      expect(this.holders(partition), "I-18: one owner").toBeLessThanOrEqual(1);
  }

  openForeign(): void {
    const foreign = new Foreign();
    this.foreigners.push(foreign);
    this.joinForeign(foreign);
  }

  joinForeign(foreign: Foreign): void {
    if (!foreign.isIn || foreign.isJoining) return;
    foreign.held.clear();
    foreign.isJoining = true;
    const metadata = encodeSubscription({
      ...{ topics: [TOPIC], owned: [], generation: -1, rack: null, userData: null },
    });
    const request = {
      ...{ memberId: foreign.memberId, groupInstanceId: null },
      ...{ sessionTimeoutMs: 6_000, rebalanceTimeoutMs: 6_000 },
      protocols: [{ name: "range", metadata }],
    };
    this.coordinator.join(request, (outcome) => {
      foreign.isJoining = false;
      if ("memberId" in outcome) {
        foreign.memberId = outcome.memberId;
        this.joinForeign(foreign);
      } else if ("answer" in outcome) this.syncForeign(foreign, outcome);
      else if (outcome.failure === "memberUnknown") foreign.memberId = "";
    });
  }

  syncForeign(foreign: Foreign, { answer }: Extract<JoinOutcome, { answer: unknown }>): void {
    foreign.generation = answer.generation;
    const counts = new Map([[TOPIC, this.partitions]]);
    const isLeader = answer.leaderId === foreign.memberId;
    foreign.assigned = isLeader ? this.partitions : null;
    const plan = isLeader ? assignRanges(viewMembers(answer.members), counts) : new Map();
    const assignments = [...plan].map(([memberId, topics]) => ({
      memberId,
      assignment: encodeAssignment({
        partitions: [...topics].map(([topic, partitions]) => ({ topic, partitions })),
        userData: null,
      }),
    }));
    const { memberId } = foreign;
    const name = { memberId, groupInstanceId: null, generation: answer.generation };
    this.coordinator.sync({ ...name, protocol: answer.protocol, assignments }, (outcome) => {
      if (!("assignment" in outcome)) return;
      const given = decodeAssignment(outcome.assignment)?.partitions ?? [];
      foreign.held = new Set(given.flatMap(({ partitions }) => partitions));
      this.checkExclusion();
    });
  }

  pollForeign(foreign: Foreign): void {
    if (!foreign.isIn) return;
    const { memberId, generation } = foreign;
    const outcome = this.coordinator.heartbeat({ memberId, groupInstanceId: null, generation });
    if (outcome === "memberUnknown") foreign.memberId = "";
    const isOutdated = foreign.assigned !== null && foreign.assigned !== this.partitions;
    if (outcome !== null || isOutdated) this.joinForeign(foreign);
  }

  leaveForeign(foreign: Foreign): void {
    foreign.isIn = false;
    foreign.held.clear();
    this.coordinator.leave(foreign.memberId);
  }

  look(actor: Actor): void {
    if (!actor.isDead) this.apply(actor, actor.member.look(this.nowMs, this.known()));
  }

  /** At a broker that doesn't know the topic yet. */
  lookStale(actor: Actor): void {
    if (!actor.isDead) this.apply(actor, actor.member.look(this.nowMs, new Map([[TOPIC, null]])));
  }

  /** Nothing more happens: everybody does what it has to, until all is at rest. */
  settle(): void {
    for (let round = 0; round < 400; round++) {
      this.nowMs += 500;
      for (const actor of this.actors) {
        this.tick(actor);
        for (let at = 0; at < 4; at++) this.deliver(actor);
        for (let at = 0; at < this.partitions; at++) this.release(actor);
        if (round % 10 === 0) this.look(actor);
      }
      for (const foreign of this.foreigners) this.pollForeign(foreign);
      if (round % 50 === 49) this.coordinator.timeOut();
    }
    this.isForeignTransition = false;
    this.checkExclusion();
  }
}

type Action = { do: string; which: number };
const KINDS = [
  ...Array(6).fill("tick"),
  ...Array(10).fill("deliver"),
  ...Array(4).fill("release"),
  ...Array(3).fill("wait"),
  ...["open", "open", "leave", "die", "cut", "timeOut", "addPartition", "look", "commit"],
  ...["lookStale", "lookStale"],
  ...["openForeign", "pollForeign", "pollForeign", "leaveForeign"],
] as string[];
const actions = fc.array(fc.record({ do: fc.constantFrom(...KINDS), which: fc.nat(9) }), {
  minLength: 20,
  maxLength: 160,
});

function act(world: World, { do: what, which }: Action): void {
  const actor = world.actors[which % world.actors.length] as Actor;
  const foreign = world.foreigners[which % Math.max(1, world.foreigners.length)];
  if (what === "tick") world.tick(actor);
  if (what === "deliver") world.deliver(actor);
  if (what === "release") world.release(actor);
  if (what === "wait") world.nowMs += which * 200;
  if (what === "open" && world.actors.length < 5) world.open();
  if (what === "leave" && !actor.isDead) world.apply(actor, actor.member.leave(world.nowMs, false));
  if (what === "die") {
    actor.isDead = true;
    actor.held.clear();
    world.coordinator.leave(actor.member.state.memberId);
  }
  if (what === "cut") world.cut(actor);
  if (what === "timeOut") world.coordinator.timeOut();
  if (what === "addPartition" && world.partitions < 8) world.partitions++;
  if (what === "look") world.look(actor);
  if (what === "lookStale") world.lookStale(actor);
  if (what === "commit")
    for (const assignment of actor.held.keys()) world.commit(actor, assignment);
  if (what === "openForeign" && world.foreigners.length < 2) world.openForeign();
  if (what === "pollForeign" && foreign) world.pollForeign(foreign);
  if (what === "leaveForeign" && foreign?.isIn) world.leaveForeign(foreign);
}

describe("ClassicMember, several of them and a model of the coordinator", () => {
  it("F30, F34, I-5, I-18: whatever comes, goes and is lost, a partition has one owner, and in the end everybody has a fair share", () => {
    const marks = { adoptions: 0, drains: 0 };
    fc.assert(
      fc.property(actions, (sequence) => {
        const world = new World();
        world.open();
        world.open();
        for (const action of sequence) act(world, action);
        const isIn = ({ member, isDead }: Actor) =>
          !isDead && member.state.phase !== "leaving" && member.state.phase !== "left";
        if (!world.actors.some(isIn)) world.open();
        world.settle();
        const shares = world.actors.filter(isIn).map(({ held }) => held.size);
        for (const foreign of world.foreigners) if (foreign.isIn) shares.push(foreign.held.size);
        expect(
          shares.reduce((sum, share) => sum + share, 0),
          "all partitions are owned",
        ).toBe(world.partitions);
        expect(Math.max(...shares) - Math.min(...shares), "in fair shares").toBeLessThanOrEqual(1);
        // Strangers that lead may give away what is claimed; of ours nobody does, whatever joins and syncs are lost.
        if (world.foreigners.length === 0) expect(world.losses, "all is drained").toBe(0);
        marks.adoptions += world.adoptions;
        marks.drains += world.drains;
      }),
      { numRuns: 300 },
    );
    expect(marks.drains).toBeGreaterThan(100);
    expect(marks.adoptions).toBeGreaterThan(1_000);
  });
});
