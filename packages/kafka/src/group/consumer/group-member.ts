/**
 * One member of a KIP-848 consumer group: the decisions, without clock, timer or socket.
 *
 *              join answered                    leave, all released
 *   joining ─────────────────▶ member ─▶ leaving ─────────────────▶ left
 *      ▲                         │
 *      └──── member unknown ─────┘  (everything lost)
 *
 * Always true:
 * - Exactly one heartbeat is in flight.
 * - The broker says a target once, and the answer that carries it may be the one that is lost. So after any failure the next heartbeat is a
 *   full one (subscription and owned list), which makes the broker say it again; and it proves a lost change of epoch.
 * - A partition leaves the owned list only by `release`, by its drain limit, or because the broker says that it isn't ours.
 *   Whoever gets it next gets it after the heartbeat that no longer names it.
 * - An assignment carries the member epoch of the answer that brought it, for ever (KIP-1251).
 *
 * The caller applies the returned steps in order, and calls `tick` when `nextTickAtMs` has come.
 */
import type { Assignment, LostReason, MembershipState } from "@penstock/core";
import { type HeartbeatFailure, HeartbeatPace } from "../heartbeat-pace.ts";
import { SessionGuard } from "../session-guard.ts";
import {
  type Heartbeat,
  type HeartbeatAnswer,
  JOIN_EPOCH,
  LEAVE_EPOCH,
  RESTART_EPOCH,
  type TopicPartitions,
} from "./heartbeat.ts";

export type MemberStep =
  /** Get a connection, then ask `compose` what to send. */
  | { readonly do: "heartbeat" }
  | { readonly do: "assigned"; readonly assignment: Assignment }
  | { readonly do: "revoking"; readonly assignment: Assignment; readonly deadlineMs: number }
  | { readonly do: "lost"; readonly assignment: Assignment; readonly reason: LostReason }
  | { readonly do: "changed" };

export interface GroupMemberOptions {
  readonly memberId: string;
  readonly topic: string;
  readonly drainLimitMs: number;
  readonly groupInstanceId?: string | null;
}

interface Owned {
  readonly assignment: Assignment;
  /** Set while it is being given back. */
  deadlineMs: number | null;
}

/** While a heartbeat is in flight: so that a pause of the process is noticed. */
const LOOK_INTERVAL_MS = 1_000;
/** What a heartbeat interval counts for at least in the rebalance timeout. */
const GRACE_INTERVAL_MS_MIN = 1_000;
/** Of heartbeat intervals: what the session is assumed to be while nobody has told (Kafka's defaults: 9). */
const SESSION_INTERVALS = 3;

export class GroupMember {
  readonly #options: GroupMemberOptions;
  readonly #owned = new Map<string, Owned>();
  readonly #pace = new HeartbeatPace();
  readonly guard = new SessionGuard(SESSION_INTERVALS * this.#pace.intervalMs);
  #target: Map<string, { topicId: string; partition: number }> | null = null;
  #phase: MembershipState["phase"] = "joining";
  #epoch = JOIN_EPOCH;
  #incarnation = 1;
  #sentIncarnation = 1;
  #rebalances = 0;
  #knownSessionMs: number | null = null;
  #isInFlight = false;
  /** Of the first heartbeat since the last answer: a target that we don't know yet can't be older. */
  #unansweredSinceMs: number | null = null;
  #needsFull = true;
  /** What the broker gave and took back while its answers were lost is acknowledged too: it waits for an owned list without it. */
  #isRepairing = false;
  /** Counts changes of the owned list; `#sentChange` and `#ackedChange` say which one the broker was told and has answered. */
  #change = 0;
  #sentChange = 0;
  #ackedChange = 0;
  #hurried = false;
  #staysForRestart = false;

  constructor(options: GroupMemberOptions) {
    this.#options = options;
  }

  get state(): MembershipState {
    return {
      phase: this.#phase,
      memberId: this.#options.memberId,
      memberEpoch: this.#epoch,
      rebalances: this.#rebalances,
    };
  }

  get #instanceId(): string | null {
    return this.#options.groupInstanceId ?? null;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  get ownedCount(): number {
    return this.#owned.size;
  }

  /** When the next tick is due; now or earlier when something waits to be said. */
  nextTickAtMs(nowMs: number): number {
    if (this.#phase === "left") return Number.POSITIVE_INFINITY;
    let at = this.#isInFlight ? nowMs + LOOK_INTERVAL_MS : this.#heartbeatDueMs(nowMs);
    for (const { deadlineMs } of this.#owned.values())
      if (deadlineMs !== null && deadlineMs < at) at = deadlineMs;
    return at;
  }

  isAlive(assignment: Assignment): boolean {
    return this.#find(assignment) !== undefined;
  }

  isRevoking(assignment: Assignment): boolean {
    const owned = this.#find(assignment);
    return owned !== undefined && owned.deadlineMs !== null;
  }

  /** What a broker or an operator says the session is; null goes back to the guess. */
  learnSession(sessionMs: number | null): void {
    this.#knownSessionMs = sessionMs;
    this.guard.sessionMs = sessionMs ?? SESSION_INTERVALS * this.#pace.intervalMs;
  }

  expectChange(nowMs: number, durationMs: number): void {
    this.#pace.expectChange(nowMs, durationMs);
  }

  /** The next heartbeat goes out as soon as none is in flight. */
  hurry(): void {
    this.#hurried = true;
  }

  tick(nowMs: number): MemberStep[] {
    const steps: MemberStep[] = [];
    if (this.#phase === "left") return steps;
    for (const owned of [...this.#owned.values()])
      if (owned.deadlineMs !== null && owned.deadlineMs <= nowMs)
        this.#lose(owned.assignment, "drainLimit", steps);
    if (!this.#isInFlight && this.#heartbeatDueMs(nowMs) <= nowMs) {
      this.#isInFlight = true;
      this.#sentIncarnation = this.#incarnation;
      steps.push({ do: "heartbeat" });
    }
    return steps;
  }

  /** The heartbeat that is to be sent right now. `isNewConnection`: not the one that the last heartbeat went over. */
  compose(nowMs: number, isNewConnection: boolean): Heartbeat {
    this.#pace.sent(nowMs);
    this.#sentIncarnation = this.#incarnation;
    this.#unansweredSinceMs ??= nowMs;
    this.#sentChange = this.#change;
    this.#hurried = false;
    const { memberId } = this.#options;
    if (this.#phase === "leaving" && this.#owned.size === 0) return this.leaveHeartbeat();
    const isFull =
      this.#epoch === JOIN_EPOCH ||
      this.#needsFull ||
      isNewConnection ||
      this.#sentChange !== this.#ackedChange;
    return {
      memberId,
      groupInstanceId: isFull ? this.#instanceId : null,
      memberEpoch: this.#epoch,
      rebalanceTimeoutMs: isFull ? this.#rebalanceTimeoutMs() : -1,
      subscribedTopics: isFull ? [this.#options.topic] : null,
      owned: isFull ? this.#ownedList() : null,
    };
  }

  leaveHeartbeat(): Heartbeat {
    return {
      memberId: this.#options.memberId,
      groupInstanceId: this.#instanceId,
      memberEpoch: this.#staysForRestart ? RESTART_EPOCH : LEAVE_EPOCH,
      rebalanceTimeoutMs: -1,
      subscribedTopics: null,
      owned: null,
    };
  }

  answered(nowMs: number, answer: HeartbeatAnswer): MemberStep[] {
    const steps: MemberStep[] = [];
    this.#isInFlight = false;
    if (this.#phase === "left" || this.#sentIncarnation !== this.#incarnation) return steps;
    if (answer.memberEpoch === LEAVE_EPOCH || answer.memberEpoch === RESTART_EPOCH) {
      this.#phase = "left";
      return [{ do: "changed" }];
    }
    const mayHaveBeenSaidAtMs = this.#unansweredSinceMs ?? this.#pace.sentAtMs;
    this.#unansweredSinceMs = null;
    this.#ackedChange = this.#sentChange;
    this.guard.proved(this.#pace.sentAtMs);
    // The rebalance timeout that the broker was told depends on its interval.
    this.#needsFull = this.#pace.answered(answer.heartbeatIntervalMs) || this.#isRepairing;
    this.#isRepairing = false;
    this.learnSession(this.#knownSessionMs);
    const isJoin = this.#phase === "joining";
    if (isJoin) {
      this.#phase = "member";
      this.#pace.joined(nowMs);
    }
    const isNewEpoch = this.#epoch !== answer.memberEpoch;
    this.#epoch = answer.memberEpoch;
    if (answer.assignment) this.#target = byKey(answer.assignment);
    const moved = this.#reconcile(nowMs, mayHaveBeenSaidAtMs, steps);
    if (moved) this.#rebalances++;
    if (isJoin || isNewEpoch || moved) steps.push({ do: "changed" });
    return steps;
  }

  failed(nowMs: number, failure: HeartbeatFailure): MemberStep[] {
    this.#isInFlight = false;
    if (this.#phase === "left" || this.#sentIncarnation !== this.#incarnation) return [];
    this.#needsFull = true;
    this.#isRepairing = true;
    this.#pace.failed(nowMs, failure);
    return failure === "memberUnknown" ? this.memberUnknown(nowMs) : [];
  }

  /** Everything is lost, and the member joins again (under its id) or, when it was leaving, is gone. */
  memberUnknown(nowMs: number): MemberStep[] {
    if (this.#phase === "left") return [];
    const reason =
      this.guard.isCertain && !this.guard.hasRunOut(nowMs) ? "memberUnknown" : "sessionPaused";
    const steps = this.#loseAll(reason);
    this.#phase = this.#phase === "leaving" ? "left" : "joining";
    this.#restart();
    steps.push({ do: "changed" });
    return steps;
  }

  release(nowMs: number, assignment: Assignment): MemberStep[] {
    const owned = this.#find(assignment);
    if (!owned) return [];
    this.#drop(assignment);
    const steps: MemberStep[] = [];
    // The target may have given it back to us while it drained.
    this.#reconcile(nowMs, nowMs, steps);
    return steps;
  }

  /** The broker refuses this assignment. What is ours is asked for anew. */
  fenced(assignment: Assignment): MemberStep[] {
    const steps: MemberStep[] = [];
    if (!this.#find(assignment)) return steps;
    this.#target?.delete(keyOf(assignment.topicId, assignment.partition));
    this.#needsFull = true;
    this.#lose(assignment, "fenced", steps);
    return steps;
  }

  /** `isRestart`: a static member keeps its place in the group for who comes back under its name. */
  leave(nowMs: number, isRestart: boolean): MemberStep[] {
    if (this.#phase === "leaving" || this.#phase === "left") return [];
    this.#staysForRestart = isRestart && this.#instanceId !== null;
    const steps: MemberStep[] = [];
    const wasJoining = this.#phase === "joining";
    this.#phase = "leaving";
    for (const owned of this.#owned.values())
      this.#revoke(owned, nowMs + this.#options.drainLimitMs, steps);
    // A join that is on its way may still succeed, so the leave follows it; one that never was sent has nothing to undo.
    if (wasJoining && !this.#isInFlight && this.#unansweredSinceMs === null) this.#phase = "left";
    this.#hurried = true;
    steps.push({ do: "changed" });
    return steps;
  }

  /** Ends at once. The caller sends `leaveHeartbeat` without waiting for the answer. */
  abort(): MemberStep[] {
    if (this.#phase === "left") return [];
    const steps = this.#loseAll("closed");
    this.#phase = "left";
    this.#restart();
    steps.push({ do: "changed" });
    return steps;
  }

  /** Brings what is owned nearer to the target. True when a partition came or is asked back. */
  #reconcile(nowMs: number, saidAtMs: number, steps: MemberStep[]): boolean {
    const target = this.#target;
    if (!target || this.#phase === "leaving" || this.#phase === "left") return false;
    let moved = false;
    // The broker's own limit runs from when it first said so, which may have been in an answer that was lost.
    const drainMs = this.#options.drainLimitMs;
    const deadlineMs = Math.min(nowMs + drainMs, saidAtMs + drainMs + this.#pace.intervalMs);
    for (const [key, owned] of this.#owned) {
      if (target.has(key) || owned.deadlineMs !== null) continue;
      this.#revoke(owned, deadlineMs, steps);
      moved = true;
    }
    for (const [key, { topicId, partition }] of target) {
      if (this.#owned.has(key)) continue;
      const assignment: Assignment = Object.freeze({
        topic: this.#options.topic,
        topicId,
        partition,
        epoch: this.#epoch,
      });
      this.#owned.set(key, { assignment, deadlineMs: null });
      this.#change++;
      steps.push({ do: "assigned", assignment });
      moved = true;
    }
    return moved;
  }

  #revoke(owned: Owned, deadlineMs: number, steps: MemberStep[]): void {
    if (owned.deadlineMs !== null) return;
    owned.deadlineMs = deadlineMs;
    steps.push({ do: "revoking", assignment: owned.assignment, deadlineMs });
  }

  #lose(assignment: Assignment, reason: LostReason, steps: MemberStep[]): void {
    this.#drop(assignment);
    steps.push({ do: "lost", assignment, reason });
  }

  #loseAll(reason: LostReason): MemberStep[] {
    const steps: MemberStep[] = [];
    for (const { assignment } of [...this.#owned.values()]) this.#lose(assignment, reason, steps);
    return steps;
  }

  #drop({ topicId, partition }: Assignment): void {
    this.#owned.delete(keyOf(topicId, partition));
    this.#change++;
  }

  #restart(): void {
    this.#epoch = JOIN_EPOCH;
    this.#target = null;
    this.#needsFull = true;
    this.#unansweredSinceMs = null;
    this.#incarnation++;
    this.#hurried = true;
    this.guard.reset();
  }

  #find(assignment: Assignment): Owned | undefined {
    const owned = this.#owned.get(keyOf(assignment.topicId, assignment.partition));
    return owned?.assignment === assignment ? owned : undefined;
  }

  #heartbeatDueMs(nowMs: number): number {
    const isUrgent =
      this.#phase === "joining" ||
      this.#hurried ||
      this.#needsFull ||
      this.#change !== this.#ackedChange ||
      !this.guard.isCertain;
    const isDraining = [...this.#owned.values()].some((owned) => owned.deadlineMs !== null);
    return this.#pace.dueMs(nowMs, isUrgent, isDraining);
  }

  /** The broker takes a draining member's partitions after this; two heartbeats more than we give ourselves. */
  #rebalanceTimeoutMs(): number {
    const graceMs = 2 * Math.max(this.#pace.intervalMs, GRACE_INTERVAL_MS_MIN);
    return Math.ceil(this.#options.drainLimitMs + graceMs);
  }

  #ownedList(): TopicPartitions[] {
    const topics = new Map<string, number[]>();
    for (const { assignment } of this.#owned.values()) {
      const partitions = topics.get(assignment.topicId);
      if (partitions) partitions.push(assignment.partition);
      else topics.set(assignment.topicId, [assignment.partition]);
    }
    return [...topics].map(([topicId, partitions]) => ({ topicId, partitions }));
  }
}

function keyOf(topicId: string, partition: number): string {
  return `${topicId}/${partition}`;
}

function byKey(assignment: readonly TopicPartitions[]) {
  const target = new Map<string, { topicId: string; partition: number }>();
  for (const { topicId, partitions } of assignment)
    for (const partition of partitions)
      target.set(keyOf(topicId, partition), { topicId, partition });
  return target;
}
