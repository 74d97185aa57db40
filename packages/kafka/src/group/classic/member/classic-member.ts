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
import type { Assignment, MembershipState } from "@penstock/core";
import { SessionGuard } from "../../session-guard.ts";
import {
  type HeartbeatOutcome,
  isEnd,
  isRefusal,
  type JoinAnswer,
  type JoinOutcome,
  type JoinRequest,
  type MemberName,
  NO_GENERATION,
  type SyncOutcome,
  type SyncRequest,
} from "../exchange.ts";
import { honoursClaims, isCooperative } from "../protocols.ts";
import { drainDeadlineMs, SessionTimeouts } from "../session-timeouts.ts";
import type { ClassicMemberOptions, ClassicStep, KnownTopic } from "./classic-step.ts";
import { GroupGeneration } from "./group-generation.ts";
import { HeldPartitions } from "./held-partitions.ts";
import { JoinProgress } from "./join-progress.ts";
import { joinRequestOf } from "./join-request.ts";
import { MemberHeartbeat } from "./member-heartbeat.ts";
import { TopicSightings } from "./topic-sightings.ts";

/** While a request is in flight: so that a pause of the process is noticed. */
const LOOK_INTERVAL_MS = 1_000;

export class ClassicMember {
  readonly #options: ClassicMemberOptions;
  readonly #held: HeldPartitions;
  readonly #beat = new MemberHeartbeat();
  readonly #join = new JoinProgress();
  readonly #sessions: SessionTimeouts;
  readonly #topics = new TopicSightings();
  readonly guard: SessionGuard;
  readonly beat: Pick<MemberHeartbeat, "expectChange" | "hurry"> = this.#beat;
  readonly held: Pick<HeldPartitions, "count" | "has" | "isDraining">;
  #group = new GroupGeneration();
  #phase: MembershipState["phase"] = "joining";
  #isStatic: boolean;
  #isLeaveSent = false;
  #staysForRestart = false;
  #incarnation = 1;
  #rebalances = 0;

  constructor(options: ClassicMemberOptions) {
    this.#options = options;
    this.#held = new HeldPartitions(options.topic);
    this.held = this.#held;
    this.#sessions = new SessionTimeouts(options.sessionTimeoutMs);
    this.guard = new SessionGuard(options.sessionTimeoutMs);
    this.#isStatic = options.groupInstanceId !== null;
    this.#useSession();
  }

  get state(): MembershipState {
    return {
      phase: this.#phase,
      memberId: this.#group.memberId,
      memberEpoch: Math.max(0, this.#group.synced),
      rebalances: this.#rebalances,
    };
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get generation(): Pick<GroupGeneration, "ofCommits" | "topics" | "isUnreadable"> {
    return this.#group;
  }

  get groupInstanceId(): string | null {
    return this.#isStatic ? this.#options.groupInstanceId : null;
  }

  get canBeat(): boolean {
    const { memberId, joined } = this.#group;
    return memberId !== "" && joined !== NO_GENERATION && !this.#isLeaveSent;
  }

  /** Something is to be decided as soon as our topic is seen, or seen again. */
  get needsTopic(): boolean {
    return this.#held.needsTopic || this.#topics.isInDoubt(this.#options.topic);
  }

  /** A join or sync is on its way, or being made. */
  get isAsking(): boolean {
    return this.#join.isAsking;
  }

  /** A foreign leader may have given what we hold to others, and they may know it before us. */
  get isOwnershipUncertain(): boolean {
    const { isLeader, isOutrun, protocol } = this.#group;
    const mayBeGiven = !isCooperative(protocol) || isOutrun;
    return this.#join.stage === "syncing" && !isLeader && mayBeGiven;
  }

  nextTickAtMs(nowMs: number): number {
    if (this.#phase === "left") return Number.POSITIVE_INFINITY;
    let at = this.#held.firstDeadlineMs;
    if (this.canBeat)
      at = Math.min(
        at,
        this.#beat.isOnItsWay ? nowMs + LOOK_INTERVAL_MS : this.#heartbeatDueMs(nowMs),
      );
    if (this.isAsking) return Math.min(at, this.#join.lookAtMs(nowMs));
    return this.#mayJoin() ? Math.min(at, this.#join.dueMs(nowMs)) : at;
  }

  tick(nowMs: number): ClassicStep[] {
    if (this.#phase === "left") return [];
    let steps = this.#held.loseOverdue(nowMs);
    if (this.#join.isOverdue(nowMs)) this.#dropJoin(nowMs, steps);
    steps = this.#go(nowMs, steps);
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

  /** `knowsInstances`: the coordinator does (JoinGroup 5, Kafka 2.3). */
  joinRequest(nowMs: number, knowsInstances = true): JoinRequest {
    if (!knowsInstances) this.#isStatic = false;
    this.#join.begin(nowMs, this.#group.joined === NO_GENERATION);
    this.#join.sent(nowMs);
    const { memberId, synced: generation } = this.#group;
    const { groupInstanceId } = this;
    const sessionTimeoutMs = this.#sessions.presentMs;
    const owned = this.#held.claims();
    const joining = { memberId, groupInstanceId, sessionTimeoutMs, owned, generation };
    return joinRequestOf(this.#options, joining);
  }

  syncRequest(nowMs: number): SyncRequest {
    this.#join.enter(nowMs, "syncing");
    this.#join.sent(nowMs);
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
    return this.#go(nowMs, steps);
  }

  joinAnswered(nowMs: number, outcome: JoinOutcome): ClassicStep[] {
    if (this.#phase === "left" || this.#join.stage !== "joining") return [];
    if ("answer" in outcome) return this.#joined(nowMs, outcome.answer);
    this.#join.again();
    if ("memberId" in outcome) this.#group.memberId = outcome.memberId;
    else if (isEnd(outcome.failure)) return this.#ended(nowMs, outcome.failure);
    else if (outcome.failure === "sessionRefused" && this.#sessions.tryNext()) this.#useSession();
    else this.#join.failed(nowMs, outcome.failure);
    return this.#go(nowMs);
  }

  /** The topics of the group as the brokers tell them now (null: there is none). */
  topicsRead(nowMs: number, looked: ReadonlyMap<string, KnownTopic | null>): ClassicStep[] {
    if (this.#phase === "left" || this.#join.stage !== "reading") return [];
    this.#topics.look(nowMs, looked);
    this.#group.assign(this.#topics.partitionCounts(this.#group.topics));
    this.#join.enter(nowMs, "syncing");
    return [{ do: "sync" }];
  }

  syncAnswered(nowMs: number, outcome: SyncOutcome): ClassicStep[] {
    if (this.#phase === "left" || this.#join.stage !== "syncing") return [];
    if ("assignment" in outcome) return this.#synced(nowMs, outcome.assignment);
    const { failure } = outcome;
    this.#join.again();
    if (isEnd(failure)) return this.#ended(nowMs, failure);
    if (failure !== "rebalancing" && failure !== "otherGeneration")
      this.#join.failed(nowMs, failure);
    return this.#go(nowMs);
  }

  /** What the brokers say of topics (null: there is none): ours, and as the leader those of the group. */
  look(nowMs: number, looked: ReadonlyMap<string, KnownTopic | null>): ClassicStep[] {
    if (this.#phase === "left") return [];
    const steps: ClassicStep[] = [];
    const { topic, drainLimitMs } = this.#options;
    const topics = this.#topics.look(nowMs, looked);
    this.#topics.keep(new Set([topic, ...this.#group.topics]));
    const ours = topics.get(topic);
    if (ours !== undefined) {
      const gone = () => this.#held.topicGone(nowMs + drainLimitMs);
      steps.push(...(ours ? this.#held.learnTopic(ours.topicId) : gone()));
      if (this.#adopt(steps)) steps.push({ do: "changed" });
    }
    if (this.#join.stage === "stable" && this.#group.isOutdated(topics))
      this.#join.wantsRejoin = true;
    return this.#go(nowMs, steps);
  }

  release(nowMs: number, assignment: Assignment): ClassicStep[] {
    return this.#held.drop(assignment) ? this.#go(nowMs) : [];
  }

  /** The broker refuses this assignment. What is ours is settled in a new generation. */
  fenced(nowMs: number, assignment: Assignment): ClassicStep[] {
    if (!this.#held.drop(assignment)) return [];
    this.#held.forgetTarget(assignment.partition);
    this.#join.wantsRejoin = true;
    return this.#go(nowMs, [{ do: "lost", assignment, reason: "fenced" }]);
  }

  /** Everything is lost, and the member joins again (as a new one) or, when it was leaving, is gone. */
  memberUnknown(nowMs: number): ClassicStep[] {
    if (this.#phase === "left") return [];
    const isIn = this.#phase !== "joining";
    const hasRunOut = !this.guard.isCertain || this.guard.hasRunOut(nowMs);
    const steps = this.#held.loseAll(isIn && hasRunOut ? "sessionPaused" : "memberUnknown");
    this.#phase = this.#phase === "leaving" ? "left" : "joining";
    if (this.isAsking) steps.push({ do: "dropJoin" });
    this.#group = new GroupGeneration();
    this.#join.wantsRejoin = false;
    this.#isLeaveSent = false;
    this.#incarnation++;
    this.#beat.calmAtMs = Number.NEGATIVE_INFINITY;
    this.#join.again();
    this.guard.reset();
    steps.push({ do: "changed" });
    return this.#go(nowMs, steps);
  }

  /** `isRestart`: a static member keeps its place in the group for who comes back under its name. */
  leave(nowMs: number, isRestart: boolean): ClassicStep[] {
    if (this.#phase === "leaving" || this.#phase === "left") return [];
    this.#phase = "leaving";
    this.#staysForRestart = isRestart && this.#isStatic;
    const steps = this.#held.drainAll(nowMs + this.#options.drainLimitMs);
    steps.push({ do: "changed" });
    return this.#go(nowMs, steps);
  }

  /** Ends at once: the coordinator has answered the leave, or nobody waits for that. */
  abort(): ClassicStep[] {
    if (this.#phase === "left") return [];
    const steps = this.#held.loseAll("closed");
    this.#phase = "left";
    steps.push({ do: "changed" });
    return steps;
  }

  /** And then what can be done now that something has changed. */
  #go(nowMs: number, steps: ClassicStep[] = []): ClassicStep[] {
    if (this.#phase === "left") return steps;
    if (this.#phase === "leaving") return this.#goLeaving(steps);
    if (this.#join.isLeaving && !this.#group.isCooperative) {
      const { drainLimitMs } = this.#options;
      const { presentMs } = this.#sessions;
      const limitMs = drainDeadlineMs(nowMs, this.#beat.calmAtMs, drainLimitMs, presentMs);
      steps.push(...this.#held.drainAll(limitMs));
    }
    if (!this.#mayJoin() || this.#join.dueMs(nowMs) > nowMs) return steps;
    this.#join.begin(nowMs, this.#group.joined === NO_GENERATION);
    steps.push({ do: "join" });
    return steps;
  }

  #goLeaving(steps: ClassicStep[]): ClassicStep[] {
    if (this.#held.count > 0 || this.#isLeaveSent) return steps;
    if (this.#staysForRestart || this.#group.memberId === "") return [...steps, ...this.abort()];
    this.#isLeaveSent = true;
    return [...steps, { do: "leave" }];
  }

  #mayJoin(): boolean {
    if (this.#phase === "leaving" || !this.#join.isLeaving) return false;
    return this.#group.isCooperative ? !this.#held.isAnyDraining : this.#held.count === 0;
  }

  #joined(nowMs: number, answer: JoinAnswer): ClassicStep[] {
    this.#group.join(answer);
    if (answer.mayHideLeader && !this.#group.isLeader) {
      // Under its new id a leader gets a new generation to lead, without which nobody assigns added partitions (F15); others the same answer again.
      this.#join.again();
      return this.#go(nowMs);
    }
    const reads = this.#group.isLeader && !this.#group.skipsAssignment;
    this.#join.enter(nowMs, reads ? "reading" : "syncing");
    return [{ do: reads ? "readTopics" : "sync" }];
  }

  #synced(nowMs: number, encoded: Buffer): ClassicStep[] {
    const steps: ClassicStep[] = [];
    const assignment = this.#group.sync(encoded);
    const mayDrain = honoursClaims(this.#group.protocol, assignment, this.#group.isOutrun);
    this.#join.synced();
    this.guard.proved(this.#join.sentAtMs);
    this.#beat.hurry();
    const deadlineMs = mayDrain ? nowMs + this.#options.drainLimitMs : null;
    const goes = this.#held.assign(assignment.partitions, this.#group.synced, deadlineMs);
    steps.push(...goes);
    // Others wait for what we give up, and get it in the next generation.
    this.#join.wantsRejoin = goes.length > 0 || this.#group.skipsAssignment;
    if (this.#phase === "joining") {
      this.#phase = "member";
      this.#beat.joined(nowMs);
    }
    const hasCome = this.#adopt(steps);
    if (hasCome || goes.length > 0) this.#rebalances++;
    steps.push({ do: "changed" });
    return this.#go(nowMs, steps);
  }

  /** True when something came. */
  #adopt(steps: ClassicStep[]): boolean {
    if (this.#phase !== "member" || this.#join.stage !== "stable") return false;
    if (this.#join.wantsRejoin && !this.#group.isCooperative) return false;
    const adopted = this.#held.adopt();
    steps.push(...adopted);
    return adopted.length > 0;
  }

  #heardOfGroup(nowMs: number, isRebalancing: boolean, steps: ClassicStep[]): void {
    if (!isRebalancing) this.#beat.calmAtMs = this.#beat.sentAtMs;
    else if (this.#join.stage === "stable") this.#join.wantsRejoin = true;
    // A group that waits for joins has answered our sync so; one that doesn't has not heard of our join.
    if (this.#join.isLost(this.#beat.sentAtMs, isRebalancing ? "syncing" : "joining"))
      this.#dropJoin(nowMs, steps);
  }

  /**
   * A join of ours was completed and its answer lost, or the group was made over from another protocol. In a cooperative group what we hold was claimed,
   * so it is nobody else's; who didn't join would be unknown, not of another generation. An eager one may have given it away.
   */
  #otherGeneration(nowMs: number, steps: ClassicStep[]): void {
    if (this.#join.isLost(this.#beat.sentAtMs, "joining")) this.#dropJoin(nowMs, steps);
    if (this.#join.stage !== "stable") return;
    if (!this.#group.isCooperative) steps.push(...this.#held.loseAll("fenced"));
    this.#join.again();
  }

  /** Two under one name would end each other again and again: who is told so goes on without it. */
  #ended(nowMs: number, why: "memberUnknown" | "instanceTaken"): ClassicStep[] {
    if (why === "instanceTaken") this.#isStatic = false;
    return this.memberUnknown(nowMs);
  }

  #dropJoin(nowMs: number, steps: ClassicStep[]): void {
    this.#join.failed(nowMs, "transient");
    steps.push({ do: "dropJoin" });
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
