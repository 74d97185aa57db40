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
 * - Two generations count: the one that was joined (heartbeats name it) and the one whose assignment is known. Commits carry the latter:
 *   what a generation gives us we know only with its assignment, and in between there is no generation to commit under.
 * - An assignment carries the generation that gave it, for ever. A partition that is kept over a cooperative rebalance keeps it.
 *
 * The caller applies the returned steps in order, and calls `tick` when `nextTickAtMs` has come.
 */
import type { Assignment, LostReason, MembershipState } from "@penstock/core";
import { HeartbeatPace } from "../heartbeat-pace.ts";
import { SessionGuard } from "../session-guard.ts";
import type { GroupMemberView } from "./assignors/assignor.ts";
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
import { HeldPartitions } from "./held-partitions.ts";
import { JoinPace } from "./join-pace.ts";
import {
  assignmentsOf,
  honoursClaims,
  isCooperative,
  offeredProtocols,
  topicsOf,
  viewMembers,
} from "./protocols.ts";
import { heartbeatIntervalMs, rebalanceGraceMs, SessionTimeouts } from "./session-timeouts.ts";

export type ClassicStep =
  | { readonly do: "heartbeat" }
  /** Send what `joinRequest` says, over the connection for joins. */
  | { readonly do: "join" }
  /** Look up the partitions of `groupTopics`, for `topicsRead`. */
  | { readonly do: "readTopics" }
  | { readonly do: "sync" }
  /** The answer to the join or sync on its way is not waited for any more. */
  | { readonly do: "dropJoin" }
  | { readonly do: "leave" }
  | { readonly do: "assigned"; readonly assignment: Assignment }
  | { readonly do: "revoking"; readonly assignment: Assignment; readonly deadlineMs: number }
  | { readonly do: "lost"; readonly assignment: Assignment; readonly reason: LostReason }
  | { readonly do: "changed" };

export interface ClassicMemberOptions {
  readonly topic: string;
  readonly drainLimitMs: number;
  readonly sessionTimeoutMs: number;
  readonly groupInstanceId: string | null;
  readonly rack: string | null;
}

/** What is known of a topic; null: there is none. */
export interface KnownTopic {
  readonly topicId: string;
  readonly partitionCount: number;
}

type Stage = "idle" | "joining" | "reading" | "syncing" | "stable";

/** While a request is in flight: so that a pause of the process is noticed. */
const LOOK_INTERVAL_MS = 1_000;

export class ClassicMember {
  readonly #options: ClassicMemberOptions;
  readonly #held: HeldPartitions;
  readonly #pace = new HeartbeatPace();
  readonly #joinPace = new JoinPace();
  readonly #sessions: SessionTimeouts;
  readonly guard: SessionGuard;
  #phase: MembershipState["phase"] = "joining";
  #stage: Stage = "idle";
  #memberId = "";
  #isStatic: boolean;
  #generation = NO_GENERATION;
  #syncedGeneration = NO_GENERATION;
  #joined: JoinAnswer | null = null;
  /** Of the generation whose assignment is known. */
  #isCooperative = true;
  #members: readonly GroupMemberView[] = [];
  #groupTopics: readonly string[] = [];
  #partitionCounts: ReadonlyMap<string, number> | null = null;
  #assignments: SyncRequest["assignments"] = [];
  #wantsRejoin = false;
  #isLeaveSent = false;
  #staysForRestart = false;
  #incarnation = 1;
  #rebalances = 0;
  #isBeating = false;
  #sentGeneration = NO_GENERATION;
  #sentIncarnation = 1;
  /** Sending time of the last heartbeat that was answered without a rebalance: one that we don't know of yet can't be older. */
  #calmAtMs = Number.NEGATIVE_INFINITY;
  #hurried = false;

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
      memberId: this.#memberId,
      memberEpoch: this.#syncedGeneration,
      rebalances: this.#rebalances,
    };
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get heldCount(): number {
    return this.#held.count;
  }

  get isLeader(): boolean {
    return this.#joined !== null && this.#joined.leaderId === this.#memberId;
  }

  /** Topics of all members when we lead, to be watched for new partitions; else nothing. */
  get groupTopics(): readonly string[] {
    return this.isLeader ? this.#groupTopics : [];
  }

  /** We were assigned partitions that we can't adopt before `look` has told of the topic. */
  get needsTopic(): boolean {
    return this.#held.needsTopic;
  }

  get groupInstanceId(): string | null {
    return this.#isStatic ? this.#options.groupInstanceId : null;
  }

  get canBeat(): boolean {
    return this.#memberId !== "" && this.#generation !== NO_GENERATION && !this.#isLeaveSent;
  }

  /** Null: it is not known now whether it is ours. */
  get commitGeneration(): number | null {
    return this.#syncedGeneration === this.#generation ? this.#generation : null;
  }

  /** A foreign leader may have given what we hold to others, and they may know it before us. */
  get isOwnershipUncertain(): boolean {
    const joined = this.#joined;
    return (
      this.#stage === "syncing" &&
      joined !== null &&
      !isCooperative(joined.protocol) &&
      !this.isLeader
    );
  }

  nextTickAtMs(nowMs: number): number {
    if (this.#phase === "left") return Number.POSITIVE_INFINITY;
    let at = Number.POSITIVE_INFINITY;
    if (this.canBeat) at = this.#isBeating ? nowMs + LOOK_INTERVAL_MS : this.#heartbeatDueMs(nowMs);
    if (this.isAsking) at = Math.min(at, this.#joinPace.limitAtMs, nowMs + LOOK_INTERVAL_MS);
    else if (this.#mayJoin()) at = Math.min(at, this.#joinPace.dueMs(nowMs));
    return Math.min(at, this.#held.firstDeadlineMs);
  }

  isAlive(assignment: Assignment): boolean {
    return this.#held.has(assignment);
  }

  isRevoking(assignment: Assignment): boolean {
    return this.#held.isDraining(assignment);
  }

  expectChange(nowMs: number, durationMs: number): void {
    this.#pace.expectChange(nowMs, durationMs);
  }

  hurry(): void {
    this.#hurried = true;
  }

  tick(nowMs: number): ClassicStep[] {
    const steps: ClassicStep[] = [];
    if (this.#phase === "left") return steps;
    for (const assignment of this.#held.dropOverdue(nowMs))
      steps.push({ do: "lost", assignment, reason: "drainLimit" });
    if (this.isAsking && this.#joinPace.limitAtMs <= nowMs) this.#dropJoin(nowMs, steps);
    this.#proceed(nowMs, steps);
    if (this.canBeat && !this.#isBeating && this.#heartbeatDueMs(nowMs) <= nowMs) {
      this.#isBeating = true;
      this.#sentIncarnation = this.#incarnation;
      steps.push({ do: "heartbeat" });
    }
    return steps;
  }

  /** The heartbeat that is to be sent right now. */
  heartbeat(nowMs: number): MemberName {
    this.#pace.sent(nowMs);
    this.#hurried = false;
    this.#sentGeneration = this.#generation;
    this.#sentIncarnation = this.#incarnation;
    return this.#name();
  }

  leaveRequest(): MemberName {
    return this.#name();
  }

  joinRequest(nowMs: number): JoinRequest {
    this.#joinPace.sent(nowMs, this.#joinKind);
    const owned = this.#held.claims();
    return {
      memberId: this.#memberId,
      groupInstanceId: this.groupInstanceId,
      sessionTimeoutMs: this.#sessions.presentMs,
      rebalanceTimeoutMs: this.#rebalanceTimeoutMs(),
      protocols: offeredProtocols({
        topics: [this.#options.topic],
        owned,
        generation: owned.length > 0 ? this.#syncedGeneration : NO_GENERATION,
        rack: this.#options.rack,
      }),
    };
  }

  syncRequest(nowMs: number): SyncRequest {
    this.#joinPace.sent(nowMs, "sync");
    return {
      ...this.#name(),
      protocol: this.#joined?.protocol ?? "",
      assignments: this.#assignments,
    };
  }

  heartbeatAnswered(nowMs: number, outcome: HeartbeatOutcome): ClassicStep[] {
    this.#isBeating = false;
    if (this.#phase === "left" || this.#sentIncarnation !== this.#incarnation) return [];
    const steps: ClassicStep[] = [];
    const isOfNow = this.#sentGeneration === this.#generation;
    if (outcome === null || outcome === "rebalancing") {
      this.guard.proved(this.#pace.sentAtMs);
      this.#pace.answered(heartbeatIntervalMs(this.#sessions.presentMs));
    } else if (outcome === "transient" || outcome === "refused") this.#pace.failed(nowMs, outcome);
    switch (outcome) {
      case "memberUnknown":
        return this.memberUnknown(nowMs);
      case "instanceTaken":
        this.#isStatic = false;
        return this.memberUnknown(nowMs);
      case "rebalancing":
        if (isOfNow && this.#stage === "stable") this.#wantsRejoin = true;
        // It would have answered the sync so.
        if (isOfNow && this.#stage === "syncing" && this.#joinPace.isDoubtful(nowMs))
          this.#dropJoin(nowMs, steps);
        break;
      case "otherGeneration":
        this.#pace.failed(nowMs, "transient");
        if (isOfNow) this.#otherGeneration(nowMs, steps);
        break;
      case null:
        if (isOfNow) this.#calmAtMs = this.#pace.sentAtMs;
        // It doesn't wait for anybody, so our join didn't reach it.
        if (isOfNow && this.#stage === "joining" && this.#joinPace.isDoubtful(nowMs))
          this.#dropJoin(nowMs, steps);
    }
    this.#proceed(nowMs, steps);
    return steps;
  }

  joinAnswered(nowMs: number, outcome: JoinOutcome): ClassicStep[] {
    if (this.#phase === "left" || this.#stage !== "joining") return [];
    if ("answer" in outcome) return this.#joinedGroup(nowMs, outcome.answer);
    this.#stage = "idle";
    if ("memberId" in outcome) {
      this.#memberId = outcome.memberId;
      this.#joinPace.again();
    } else {
      const { failure } = outcome;
      if (failure === "memberUnknown") return this.memberUnknown(nowMs);
      if (failure === "instanceTaken") {
        this.#isStatic = false;
        return this.memberUnknown(nowMs);
      }
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
    if (this.#phase === "left" || this.#stage !== "reading" || !this.#joined) return [];
    this.#partitionCounts = partitionCounts;
    this.#assignments = assignmentsOf(this.#joined.protocol, this.#members, partitionCounts);
    this.#stage = "syncing";
    this.#joinPace.sent(nowMs, "sync");
    return [{ do: "sync" }];
  }

  syncAnswered(nowMs: number, outcome: SyncOutcome): ClassicStep[] {
    if (this.#phase === "left" || this.#stage !== "syncing") return [];
    if ("assignment" in outcome) return this.#synced(nowMs, outcome.assignment);
    this.#stage = "idle";
    switch (outcome.failure) {
      case "instanceTaken":
        this.#isStatic = false;
        return this.memberUnknown(nowMs);
      case "memberUnknown":
        return this.memberUnknown(nowMs);
      case "rebalancing":
      case "otherGeneration":
        this.#joinPace.again();
        break;
      default:
        this.#joinPace.failed(nowMs, isRefusal(outcome.failure) ? "refused" : "transient");
    }
    const steps: ClassicStep[] = [];
    this.#proceed(nowMs, steps);
    return steps;
  }

  /** What the brokers say of topics: ours, and as the leader those of the group. */
  look(nowMs: number, topics: ReadonlyMap<string, KnownTopic | null>): ClassicStep[] {
    if (this.#phase === "left") return [];
    const steps: ClassicStep[] = [];
    const ours = topics.get(this.#options.topic);
    if (ours !== undefined) {
      for (const assignment of this.#held.learnTopic(ours?.topicId ?? null))
        steps.push({ do: "lost", assignment, reason: "fenced" });
      if (this.#adopt(steps)) steps.push({ do: "changed" });
    }
    const counts = this.#partitionCounts;
    if (counts && this.isLeader && this.#stage === "stable")
      for (const [topic, known] of topics)
        if (this.#groupTopics.includes(topic) && counts.get(topic) !== known?.partitionCount)
          this.#wantsRejoin = true;
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
    const hasRunOut = !this.guard.isCertain || this.guard.hasRunOut(nowMs);
    const wasMember = this.#phase !== "joining";
    const steps = this.#loseAll(wasMember && hasRunOut ? "sessionPaused" : "memberUnknown");
    this.#phase = this.#phase === "leaving" ? "left" : "joining";
    this.#forgetGroup(steps);
    steps.push({ do: "changed" });
    if (this.#phase !== "left") this.#proceed(nowMs, steps);
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

  /** The coordinator has answered the leave. */
  leaveAnswered(): ClassicStep[] {
    return this.abort();
  }

  /** Ends at once. The caller sends a leave without waiting for the answer. */
  abort(): ClassicStep[] {
    if (this.#phase === "left") return [];
    const steps = this.#loseAll("closed");
    this.#phase = "left";
    steps.push({ do: "changed" });
    return steps;
  }

  get #joinKind(): "first" | "join" {
    return this.#generation === NO_GENERATION ? "first" : "join";
  }

  /** A join or sync is on its way, or being made. */
  get isAsking(): boolean {
    return this.#stage === "joining" || this.#stage === "reading" || this.#stage === "syncing";
  }

  #name(): MemberName {
    return {
      memberId: this.#memberId,
      groupInstanceId: this.groupInstanceId,
      generation: this.#generation,
    };
  }

  /** What can be done now that something has changed. */
  #proceed(nowMs: number, steps: ClassicStep[]): void {
    if (this.#phase === "left") return;
    if (this.#phase === "leaving") {
      this.#proceedLeaving(steps);
      return;
    }
    const isLeavingGeneration = this.#wantsRejoin || this.#stage === "idle";
    if (isLeavingGeneration && !this.#isCooperative)
      this.#drainAll(this.#eagerDeadlineMs(nowMs), steps);
    if (!this.#mayJoin() || this.#joinPace.dueMs(nowMs) > nowMs) return;
    this.#stage = "joining";
    this.#wantsRejoin = false;
    this.#joinPace.sent(nowMs, this.#joinKind);
    steps.push({ do: "join" });
  }

  #proceedLeaving(steps: ClassicStep[]): void {
    if (this.#held.count > 0 || this.#isLeaveSent) return;
    if (this.#staysForRestart || this.#memberId === "") {
      this.#phase = "left";
      steps.push({ do: "changed" });
      return;
    }
    this.#isLeaveSent = true;
    steps.push({ do: "leave" });
  }

  #mayJoin(): boolean {
    if (this.#phase === "leaving") return false;
    const wants = this.#stage === "idle" || (this.#stage === "stable" && this.#wantsRejoin);
    if (!wants) return false;
    return this.#isCooperative ? !this.#held.isAnyDraining : this.#held.count === 0;
  }

  #joinedGroup(nowMs: number, answer: JoinAnswer): ClassicStep[] {
    this.#joinPace.answered();
    this.#joined = answer;
    this.#memberId = answer.memberId;
    this.#generation = answer.generation;
    this.#assignments = [];
    this.#partitionCounts = null;
    if (!this.isLeader) {
      this.#stage = "syncing";
      return [{ do: "sync" }];
    }
    this.#members = viewMembers(answer.members);
    this.#groupTopics = topicsOf(this.#members);
    this.#stage = answer.skipsAssignment ? "syncing" : "reading";
    if (this.#stage === "reading") this.#joinPace.sent(nowMs, "sync");
    return [{ do: this.#stage === "reading" ? "readTopics" : "sync" }];
  }

  #synced(nowMs: number, encoded: Buffer): ClassicStep[] {
    const { protocol } = this.#joined as JoinAnswer;
    const steps: ClassicStep[] = [];
    const assignment = decodeAssignment(encoded) ?? { partitions: [], userData: null };
    const mayDrain = honoursClaims(protocol, assignment);
    this.#stage = "stable";
    this.#joinPace.answered();
    this.guard.proved(this.#joinPace.sentAtMs);
    this.#syncedGeneration = this.#generation;
    this.#isCooperative = isCooperative(protocol);
    this.#hurried = true;
    const mine = assignment.partitions
      .filter(({ topic }) => topic === this.#options.topic)
      .flatMap(({ partitions }) => partitions);
    this.#held.assign(mine, this.#generation);
    // A leader that came back doesn't know for which partitions the assignment was made.
    this.#wantsRejoin = this.isLeader && (this.#joined as JoinAnswer).skipsAssignment;
    let moved = false;
    for (const held of this.#held.unassigned()) {
      moved = true;
      if (!mayDrain) {
        this.#held.drop(held);
        steps.push({ do: "lost", assignment: held, reason: "fenced" });
      } else this.#drain(held, nowMs + this.#options.drainLimitMs, steps);
      // Others wait for it, and get it in the next generation.
      this.#wantsRejoin = true;
    }
    if (this.#phase === "joining") {
      this.#phase = "member";
      this.#pace.joined(nowMs);
    }
    if (this.#phase === "member" && this.#adopt(steps)) moved = true;
    if (moved) this.#rebalances++;
    steps.push({ do: "changed" });
    this.#proceed(nowMs, steps);
    return steps;
  }

  /** True when something came. */
  #adopt(steps: ClassicStep[]): boolean {
    if (this.#phase !== "member" || this.#stage !== "stable") return false;
    if (this.#wantsRejoin && !this.#isCooperative) return false;
    const adopted = this.#held.adopt();
    for (const assignment of adopted) steps.push({ do: "assigned", assignment });
    return adopted.length > 0;
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
    if (!this.#isCooperative) steps.push(...this.#loseAll("fenced"));
    this.#stage = "idle";
    this.#joinPace.again();
  }

  #dropJoin(nowMs: number, steps: ClassicStep[]): void {
    this.#stage = "idle";
    this.#joinPace.failed(nowMs, "transient");
    steps.push({ do: "dropJoin" });
  }

  #drainAll(deadlineMs: number, steps: ClassicStep[]): void {
    this.#held.assign([], this.#syncedGeneration);
    for (const assignment of this.#held.unassigned()) this.#drain(assignment, deadlineMs, steps);
  }

  #drain(assignment: Assignment, deadlineMs: number, steps: ClassicStep[]): void {
    if (this.#held.drain(assignment, deadlineMs))
      steps.push({ do: "revoking", assignment, deadlineMs });
  }

  #loseAll(reason: LostReason): ClassicStep[] {
    return this.#held.dropAll().map((assignment) => ({ do: "lost", assignment, reason }));
  }

  #forgetGroup(steps: ClassicStep[]): void {
    if (this.isAsking) steps.push({ do: "dropJoin" });
    this.#stage = "idle";
    this.#memberId = "";
    this.#generation = NO_GENERATION;
    this.#syncedGeneration = NO_GENERATION;
    this.#joined = null;
    this.#isCooperative = true;
    this.#partitionCounts = null;
    this.#wantsRejoin = false;
    this.#isLeaveSent = false;
    this.#calmAtMs = Number.NEGATIVE_INFINITY;
    this.#incarnation++;
    this.#joinPace.again();
    this.guard.reset();
  }

  #useSession(): void {
    this.guard.sessionMs = this.#sessions.presentMs;
    this.#pace.answered(heartbeatIntervalMs(this.#sessions.presentMs));
  }

  #heartbeatDueMs(nowMs: number): number {
    const isUrgent = this.#hurried || !this.guard.isCertain;
    const isMoving = this.#held.isAnyDraining || this.isAsking;
    return this.#pace.dueMs(nowMs, isUrgent, isMoving);
  }

  /** The coordinator removes who hasn't joined by then; it counts from the moment that somebody else asked to join. */
  #rebalanceTimeoutMs(): number {
    return Math.ceil(this.#options.drainLimitMs + rebalanceGraceMs(this.#sessions.presentMs));
  }

  /** The rebalance may have begun right after the last heartbeat that knew nothing of it; half of the grace is for the join. */
  #eagerDeadlineMs(nowMs: number): number {
    const graceMs = rebalanceGraceMs(this.#sessions.presentMs);
    const { drainLimitMs } = this.#options;
    const sureMs = this.#calmAtMs + drainLimitMs + graceMs / 2;
    return Math.max(nowMs, Math.min(nowMs + drainLimitMs, sureMs));
  }
}

function isRefusal(failure: ClassicFailure): boolean {
  return failure === "refused" || failure === "sessionRefused";
}
