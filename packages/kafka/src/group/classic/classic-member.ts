/**
 * One member of a classic consumer group: the decisions, without clock, timer or socket.
 *
 *                    join              answered             answered
 *   idle ──────────────────▶ joining ──────────▶ (reading ─▶) syncing ──────────▶ stable
 *     ▲  (nothing drains,                          as leader                        │
 *     └── eager: nothing held) ◀── others join, we gave something up, partitions came ─┘
 *
 * Always true:
 * - One heartbeat is in flight at most, and one join or sync, on another connection; heartbeats go on through all of it.
 * - Nothing is joined while a partition drains, so the coordinator can't give it away, and commits of the drained pass: it takes those of the present
 *   generation until the last member has joined. From a cooperative generation the rest is carried over and claimed, from an eager one nothing is.
 * - Commits carry the generation whose assignment is known. What a generation gives us we know only with its assignment, so between that of
 *   the join and that of the sync there is none to commit under.
 * - An assignment carries the generation that gave it, for ever. A partition that is kept over a cooperative rebalance keeps it.
 *
 * The caller applies the returned steps in order, and calls `tick` when `nextTickAtMs` has come.
 */
import type { Assignment, LostReason, MembershipState } from "@penstock/core";
import { SessionGuard } from "../session-guard.ts";
import type { ClassicMemberOptions, ClassicStep, KnownTopic } from "./classic-step.ts";
import { decodeAssignment } from "./consumer-protocol.ts";
import {
  type ClassicFailure,
  type HeartbeatOutcome,
  type JoinAnswer,
  type JoinOutcome,
  type JoinRequest,
  type MemberName,
  NO_GENERATION,
  type SyncOutcome,
  type SyncRequest,
} from "./exchange.ts";
import { GroupGeneration } from "./group-generation.ts";
import { HeldPartitions } from "./held-partitions.ts";
import { JoinPace } from "./join-pace.ts";
import { MemberHeartbeat } from "./member-heartbeat.ts";
import { honoursClaims, isCooperative, offeredProtocols } from "./protocols.ts";
import { drainDeadlineMs, rebalanceTimeoutMs, SessionTimeouts } from "./session-timeouts.ts";

type Stage = "idle" | "joining" | "reading" | "syncing" | "stable";

/** While a request is in flight: so that a pause of the process is noticed. */
const LOOK_INTERVAL_MS = 1_000;

export class ClassicMember {
  readonly #options: ClassicMemberOptions;
  readonly #held: HeldPartitions;
  readonly #beat = new MemberHeartbeat();
  readonly #joinPace = new JoinPace();
  readonly #sessions: SessionTimeouts;
  readonly guard: SessionGuard;
  #group = new GroupGeneration();
  #phase: MembershipState["phase"] = "joining";
  #stage: Stage = "idle";
  #isStatic: boolean;
  #wantsRejoin = false;
  #isLeaveSent = false;
  #staysForRestart = false;
  #incarnation = 1;
  #rebalances = 0;

  constructor(options: ClassicMemberOptions) {
    this.#options = options;
    this.#held = new HeldPartitions(options.topic);
    this.#sessions = new SessionTimeouts(options.sessionTimeoutMs);
    this.guard = new SessionGuard(options.sessionTimeoutMs);
    this.#isStatic = options.groupInstanceId !== null;
    this.#useSession();
  }

  get state(): MembershipState {
    return {
      phase: this.#phase,
      memberId: this.#group.memberId,
      memberEpoch: this.#group.synced,
      rebalances: this.#rebalances,
    };
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get heldCount(): number {
    return this.#held.count;
  }

  /** Topics of all members when we lead, to be watched for new partitions; else nothing. */
  get groupTopics(): readonly string[] {
    return this.#group.topics;
  }

  /** We were assigned partitions that we can't adopt before `look` has told of the topic. */
  get needsTopic(): boolean {
    return this.#held.needsTopic;
  }

  get groupInstanceId(): string | null {
    return this.#isStatic ? this.#options.groupInstanceId : null;
  }

  get canBeat(): boolean {
    const { memberId, joined } = this.#group;
    return memberId !== "" && joined !== NO_GENERATION && !this.#isLeaveSent;
  }

  /** A join or sync is on its way, or being made. */
  get isAsking(): boolean {
    return this.#stage !== "idle" && this.#stage !== "stable";
  }

  /** Null: it is not known now what is ours. */
  get commitGeneration(): number | null {
    return this.#group.ofCommits;
  }

  /** A foreign leader may have given what we hold to others, and they may know it before us. */
  get isOwnershipUncertain(): boolean {
    const { isLeader, protocol } = this.#group;
    return this.#stage === "syncing" && !isLeader && !isCooperative(protocol);
  }

  nextTickAtMs(nowMs: number): number {
    if (this.#phase === "left") return Number.POSITIVE_INFINITY;
    let at = this.#held.firstDeadlineMs;
    if (this.canBeat)
      at = Math.min(
        at,
        this.#beat.isOnItsWay ? nowMs + LOOK_INTERVAL_MS : this.#heartbeatDueMs(nowMs),
      );
    if (this.isAsking) return Math.min(at, this.#joinPace.limitAtMs, nowMs + LOOK_INTERVAL_MS);
    return this.#mayJoin() ? Math.min(at, this.#joinPace.dueMs(nowMs)) : at;
  }

  isAlive(assignment: Assignment): boolean {
    return this.#held.has(assignment);
  }

  isRevoking(assignment: Assignment): boolean {
    return this.#held.isDraining(assignment);
  }

  expectChange(nowMs: number, durationMs: number): void {
    this.#beat.expectChange(nowMs, durationMs);
  }

  /** The next heartbeat goes out as soon as none is in flight. */
  hurry(): void {
    this.#beat.hurry();
  }

  tick(nowMs: number): ClassicStep[] {
    const steps: ClassicStep[] = [];
    if (this.#phase === "left") return steps;
    for (const assignment of this.#held.dropOverdue(nowMs))
      steps.push({ do: "lost", assignment, reason: "drainLimit" });
    if (this.isAsking && this.#joinPace.limitAtMs <= nowMs) this.#dropJoin(nowMs, steps);
    this.#proceed(nowMs, steps);
    if (this.canBeat && !this.#beat.isOnItsWay && this.#heartbeatDueMs(nowMs) <= nowMs) {
      this.#beat.begin(this.#incarnation);
      steps.push({ do: "heartbeat" });
    }
    return steps;
  }

  /** The heartbeat that is to be sent right now. */
  heartbeat(nowMs: number): MemberName {
    this.#beat.sent(nowMs, this.#incarnation, this.#group.joined);
    return this.name();
  }

  name(): MemberName {
    const { memberId, joined } = this.#group;
    return { memberId, groupInstanceId: this.groupInstanceId, generation: joined };
  }

  joinRequest(nowMs: number): JoinRequest {
    this.#joinPace.sent(nowMs, this.#joinKind);
    const { topic, drainLimitMs, rack } = this.#options;
    const owned = this.#held.claims();
    const generation = owned.length > 0 ? this.#group.synced : NO_GENERATION;
    return {
      memberId: this.#group.memberId,
      groupInstanceId: this.groupInstanceId,
      sessionTimeoutMs: this.#sessions.presentMs,
      rebalanceTimeoutMs: rebalanceTimeoutMs(drainLimitMs, this.#sessions.presentMs),
      protocols: offeredProtocols({ topics: [topic], owned, generation, rack }),
    };
  }

  syncRequest(nowMs: number): SyncRequest {
    this.#joinPace.sent(nowMs, "sync");
    const { protocol, assignments } = this.#group;
    return { ...this.name(), protocol, assignments };
  }

  heartbeatAnswered(nowMs: number, outcome: HeartbeatOutcome): ClassicStep[] {
    const isOurs = this.#beat.answered(this.#incarnation);
    if (this.#phase === "left" || !isOurs) return [];
    if (isEnd(outcome)) return this.#ended(nowMs, outcome);
    const steps: ClassicStep[] = [];
    const isOfNow = this.#beat.isOf(this.#group.joined);
    if (outcome === null || outcome === "rebalancing") {
      this.guard.proved(this.#beat.sentAtMs);
      this.#beat.proved(this.#sessions.presentMs);
      if (isOfNow) this.#heardOfGroup(nowMs, outcome === "rebalancing", steps);
    } else {
      this.#beat.failed(nowMs, isRefusal(outcome) ? "refused" : "transient");
      if (outcome === "otherGeneration" && isOfNow) this.#otherGeneration(nowMs, steps);
    }
    this.#proceed(nowMs, steps);
    return steps;
  }

  joinAnswered(nowMs: number, outcome: JoinOutcome): ClassicStep[] {
    if (this.#phase === "left" || this.#stage !== "joining") return [];
    if ("answer" in outcome) return this.#joined(nowMs, outcome.answer);
    this.#stage = "idle";
    if ("memberId" in outcome) {
      this.#group.memberId = outcome.memberId;
      this.#joinPace.again();
    } else {
      const { failure } = outcome;
      if (isEnd(failure)) return this.#ended(nowMs, failure);
      if (failure === "sessionRefused" && this.#sessions.tryNext()) {
        this.#useSession();
        this.#joinPace.again();
      } else this.#joinPace.failed(nowMs, isRefusal(failure) ? "refused" : "transient");
    }
    const steps: ClassicStep[] = [];
    this.#proceed(nowMs, steps);
    return steps;
  }

  /** The partitions of the topics of the group; what is missing doesn't exist. */
  topicsRead(nowMs: number, partitionCounts: ReadonlyMap<string, number>): ClassicStep[] {
    if (this.#phase === "left" || this.#stage !== "reading") return [];
    this.#group.assign(partitionCounts);
    this.#stage = "syncing";
    this.#joinPace.sent(nowMs, "sync");
    return [{ do: "sync" }];
  }

  syncAnswered(nowMs: number, outcome: SyncOutcome): ClassicStep[] {
    if (this.#phase === "left" || this.#stage !== "syncing") return [];
    if ("assignment" in outcome) return this.#synced(nowMs, outcome.assignment);
    const { failure } = outcome;
    this.#stage = "idle";
    if (isEnd(failure)) return this.#ended(nowMs, failure);
    if (failure === "rebalancing" || failure === "otherGeneration") this.#joinPace.again();
    else this.#joinPace.failed(nowMs, isRefusal(failure) ? "refused" : "transient");
    const steps: ClassicStep[] = [];
    this.#proceed(nowMs, steps);
    return steps;
  }

  /** What the brokers say of topics (null: there is none): ours, and as the leader those of the group. */
  look(nowMs: number, topics: ReadonlyMap<string, KnownTopic | null>): ClassicStep[] {
    if (this.#phase === "left") return [];
    const steps: ClassicStep[] = [];
    const ours = topics.get(this.#options.topic);
    if (ours !== undefined) {
      for (const assignment of this.#held.learnTopic(ours?.topicId ?? null))
        steps.push({ do: "lost", assignment, reason: "fenced" });
      if (this.#adopt(steps)) steps.push({ do: "changed" });
    }
    if (this.#stage === "stable" && this.#group.isOutdated(topics)) this.#wantsRejoin = true;
    this.#proceed(nowMs, steps);
    return steps;
  }

  release(nowMs: number, assignment: Assignment): ClassicStep[] {
    const steps: ClassicStep[] = [];
    if (this.#held.drop(assignment)) this.#proceed(nowMs, steps);
    return steps;
  }

  /** The broker refuses this assignment. What is ours is settled in a new generation. */
  fenced(nowMs: number, assignment: Assignment): ClassicStep[] {
    const steps: ClassicStep[] = [];
    if (!this.#held.drop(assignment)) return steps;
    this.#held.forgetTarget(assignment.partition);
    this.#wantsRejoin = true;
    steps.push({ do: "lost", assignment, reason: "fenced" });
    this.#proceed(nowMs, steps);
    return steps;
  }

  /** Everything is lost, and the member joins again (as a new one) or, when it was leaving, is gone. */
  memberUnknown(nowMs: number): ClassicStep[] {
    if (this.#phase === "left") return [];
    const isIn = this.#phase !== "joining";
    const hasRunOut = !this.guard.isCertain || this.guard.hasRunOut(nowMs);
    const steps = this.#loseAll(isIn && hasRunOut ? "sessionPaused" : "memberUnknown");
    this.#phase = this.#phase === "leaving" ? "left" : "joining";
    if (this.isAsking) steps.push({ do: "dropJoin" });
    this.#group = new GroupGeneration();
    this.#stage = "idle";
    this.#wantsRejoin = false;
    this.#isLeaveSent = false;
    this.#incarnation++;
    this.#beat.calmAtMs = Number.NEGATIVE_INFINITY;
    this.#joinPace.again();
    this.guard.reset();
    steps.push({ do: "changed" });
    this.#proceed(nowMs, steps);
    return steps;
  }

  /** `isRestart`: a static member keeps its place in the group for who comes back under its name. */
  leave(nowMs: number, isRestart: boolean): ClassicStep[] {
    if (this.#phase === "leaving" || this.#phase === "left") return [];
    const steps: ClassicStep[] = [];
    this.#phase = "leaving";
    this.#staysForRestart = isRestart && this.#isStatic;
    this.#drainAll(nowMs + this.#options.drainLimitMs, steps);
    steps.push({ do: "changed" });
    this.#proceed(nowMs, steps);
    return steps;
  }

  /** Ends at once: the coordinator has answered the leave, or nobody waits for that. */
  abort(): ClassicStep[] {
    if (this.#phase === "left") return [];
    const steps = this.#loseAll("closed");
    this.#phase = "left";
    steps.push({ do: "changed" });
    return steps;
  }

  get #joinKind(): "first" | "join" {
    return this.#group.joined === NO_GENERATION ? "first" : "join";
  }

  /** What can be done now that something has changed. */
  #proceed(nowMs: number, steps: ClassicStep[]): void {
    if (this.#phase === "left") return;
    if (this.#phase === "leaving") {
      this.#proceedLeaving(steps);
      return;
    }
    const isLeavingGeneration = this.#wantsRejoin || this.#stage === "idle";
    if (isLeavingGeneration && !this.#group.isCooperative) {
      const { drainLimitMs } = this.#options;
      const { presentMs } = this.#sessions;
      this.#drainAll(drainDeadlineMs(nowMs, this.#beat.calmAtMs, drainLimitMs, presentMs), steps);
    }
    if (!this.#mayJoin() || this.#joinPace.dueMs(nowMs) > nowMs) return;
    this.#stage = "joining";
    this.#wantsRejoin = false;
    this.#joinPace.sent(nowMs, this.#joinKind);
    steps.push({ do: "join" });
  }

  #proceedLeaving(steps: ClassicStep[]): void {
    if (this.#held.count > 0 || this.#isLeaveSent) return;
    if (this.#staysForRestart || this.#group.memberId === "") {
      steps.push(...this.abort());
      return;
    }
    this.#isLeaveSent = true;
    steps.push({ do: "leave" });
  }

  #mayJoin(): boolean {
    if (this.#phase === "leaving") return false;
    const wants = this.#stage === "idle" || (this.#stage === "stable" && this.#wantsRejoin);
    if (!wants) return false;
    return this.#group.isCooperative ? !this.#held.isAnyDraining : this.#held.count === 0;
  }

  #joined(nowMs: number, answer: JoinAnswer): ClassicStep[] {
    this.#joinPace.answered();
    this.#group.join(answer);
    const reads = this.#group.isLeader && !this.#group.skipsAssignment;
    this.#stage = reads ? "reading" : "syncing";
    this.#joinPace.sent(nowMs, "sync");
    return [{ do: reads ? "readTopics" : "sync" }];
  }

  #synced(nowMs: number, encoded: Buffer): ClassicStep[] {
    const steps: ClassicStep[] = [];
    const assignment = decodeAssignment(encoded) ?? { partitions: [], userData: null };
    const mayDrain = honoursClaims(this.#group.protocol, assignment);
    this.#stage = "stable";
    this.#group.sync();
    this.#joinPace.answered();
    this.guard.proved(this.#joinPace.sentAtMs);
    this.#beat.hurry();
    const mine = assignment.partitions.filter(({ topic }) => topic === this.#options.topic);
    this.#held.assign(
      mine.flatMap(({ partitions }) => partitions),
      this.#group.synced,
    );
    const goes = this.#held.unassigned();
    for (const held of goes) {
      if (mayDrain) this.#drain(held, nowMs + this.#options.drainLimitMs, steps);
      else if (this.#held.drop(held))
        steps.push({ do: "lost", assignment: held, reason: "fenced" });
    }
    // Others wait for what we give up, and get it in the next generation.
    this.#wantsRejoin = goes.length > 0 || this.#group.skipsAssignment;
    if (this.#phase === "joining") {
      this.#phase = "member";
      this.#beat.joined(nowMs);
    }
    const hasCome = this.#adopt(steps);
    if (hasCome || goes.length > 0) this.#rebalances++;
    steps.push({ do: "changed" });
    this.#proceed(nowMs, steps);
    return steps;
  }

  /** True when something came. */
  #adopt(steps: ClassicStep[]): boolean {
    if (this.#phase !== "member" || this.#stage !== "stable") return false;
    if (this.#wantsRejoin && !this.#group.isCooperative) return false;
    const adopted = this.#held.adopt();
    for (const assignment of adopted) steps.push({ do: "assigned", assignment });
    return adopted.length > 0;
  }

  #heardOfGroup(nowMs: number, isRebalancing: boolean, steps: ClassicStep[]): void {
    if (!isRebalancing) this.#beat.calmAtMs = this.#beat.sentAtMs;
    else if (this.#stage === "stable") this.#wantsRejoin = true;
    // A group that waits for joins has answered our sync so; one that doesn't has not heard of our join.
    const isContradicted = this.#stage === (isRebalancing ? "syncing" : "joining");
    if (isContradicted && this.#joinPace.isDoubtful(nowMs)) this.#dropJoin(nowMs, steps);
  }

  /**
   * A join of ours was completed and its answer lost, or the group was made over from another protocol. In a cooperative group what we hold was claimed,
   * so it is nobody else's; who didn't join would be unknown, not of another generation. An eager one may have given it away.
   */
  #otherGeneration(nowMs: number, steps: ClassicStep[]): void {
    if (this.#stage === "joining") {
      if (this.#joinPace.isDoubtful(nowMs)) this.#dropJoin(nowMs, steps);
      return;
    }
    if (this.#stage !== "stable") return;
    if (!this.#group.isCooperative) steps.push(...this.#loseAll("fenced"));
    this.#stage = "idle";
    this.#joinPace.again();
  }

  /** Two under one name would end each other again and again: who is told so goes on without it. */
  #ended(nowMs: number, why: "memberUnknown" | "instanceTaken"): ClassicStep[] {
    if (why === "instanceTaken") this.#isStatic = false;
    return this.memberUnknown(nowMs);
  }

  #dropJoin(nowMs: number, steps: ClassicStep[]): void {
    this.#stage = "idle";
    this.#joinPace.failed(nowMs, "transient");
    steps.push({ do: "dropJoin" });
  }

  #drainAll(deadlineMs: number, steps: ClassicStep[]): void {
    this.#held.assign([], this.#group.synced);
    for (const assignment of this.#held.unassigned()) this.#drain(assignment, deadlineMs, steps);
  }

  #drain(assignment: Assignment, deadlineMs: number, steps: ClassicStep[]): void {
    if (this.#held.drain(assignment, deadlineMs))
      steps.push({ do: "revoking", assignment, deadlineMs });
  }

  #loseAll(reason: LostReason): ClassicStep[] {
    return this.#held.dropAll().map((assignment) => ({ do: "lost", assignment, reason }));
  }

  #useSession(): void {
    this.guard.sessionMs = this.#sessions.presentMs;
    this.#beat.proved(this.#sessions.presentMs);
  }

  #heartbeatDueMs(nowMs: number): number {
    const isMoving = this.#held.isAnyDraining || this.isAsking;
    return this.#beat.dueMs(nowMs, !this.guard.isCertain, isMoving);
  }
}

function isEnd(outcome: HeartbeatOutcome): outcome is "memberUnknown" | "instanceTaken" {
  return outcome === "memberUnknown" || outcome === "instanceTaken";
}

function isRefusal(failure: ClassicFailure): boolean {
  return failure === "refused" || failure === "sessionRefused";
}
