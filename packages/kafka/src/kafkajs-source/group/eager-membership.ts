/**
 * A member of a classic consumer group that rebalances eagerly: the group protocol that every Kafka since 0.10.1 has.
 *
 *   joining ─JoinGroup, SyncGroup─▶ member ─"rebalance in progress"─▶ draining: `revoking` for all ─▶ all released, or deadline ─▶ joining
 *                                     └── unknown member, old generation, topic made again: all `lost` ─▶ joining
 *
 * Always true:
 * - Heartbeats have a loop of their own and wait for nothing but their interval: neither for functions nor for fetches (kafkajs's consumer sends them
 *   between fetches). They go on while lanes drain; Kafka keeps the member and takes commits of its generation until everybody has joined anew.
 * - An assignment belongs to one generation and is alive from its SyncGroup until it is released or lost, and never past the next join (K-1).
 * - A call may start only while a heartbeat proves the session, and none after a pause of the process until one has succeeded since.
 */
import {
  type Assignment,
  type LostReason,
  type MembershipState,
  PenstockError,
} from "@penstock/core";
import { KAFKA, kafkaRefusal } from "../../cluster/kafka-error.ts";
import { backoffMs } from "../../connection/backoff.ts";
import { drainDeadlineMs, heartbeatIntervalMs } from "../../group/classic/session-timeouts.ts";
import type { MembershipEvents } from "../../group/membership.ts";
import { SessionGuard } from "../../group/session-guard.ts";
import type { TopicView } from "../client/kafkajs-client.ts";
import { Alarm } from "./alarm.ts";
import { FOREIGN_TOPICS_MAX, Join, type Joined, type JoinOptions, NOBODY } from "./join.ts";
import { TopicSight } from "./topic-sight.ts";

const RETRY_BASE_MS = 100;
const RETRY_LIMIT_MS = 5_000;
/** Between heartbeats while lanes drain, and while a change is expected. */
const HURRIED_MS = 250;
const STEPS_MAX = 10;
const LOOK_INTERVAL_MS = 10_000;
const LOOK_AGAIN_MS = 2_000;
const LEAVE_LIMIT_MS = 2_000;
const ABORT_LIMIT_MS = 500;
const FAILURES_UNTIL_PROBLEM = 2;

export class EagerMembership {
  readonly groupInstanceId = null;
  readonly #options: JoinOptions;
  readonly #events: MembershipEvents;
  readonly #join: Join;
  readonly #guard: SessionGuard;
  /** Alive assignments; true = asked back. */
  readonly #held = new Map<Assignment, boolean>();
  readonly #alarm: Alarm;
  #phase: MembershipState["phase"] = "joining";
  #incarnation = 0;
  #lookAtMs = Number.NEGATIVE_INFINITY;
  /** Heartbeats in a row that brought nothing. */
  #failures = 0;
  #rebalances = -1;
  #view: TopicView | null = null;
  readonly #sight = new TopicSight();
  #isLeader = false;
  /** Of an assignment of the group by this member. */
  #groupProblem: PenstockError | null = null;
  /** The generation is gone: join anew. */
  #isOver = true;
  #drainUntilMs: number | null = null;
  /** When the last heartbeat was sent that knew of no rebalance. */
  #calmAtMs = Number.NEGATIVE_INFINITY;
  #expectUntilMs = Number.NEGATIVE_INFINITY;
  #ending: "leave" | "abort" | null = null;
  #loop: Promise<void> | null = null;

  constructor(options: JoinOptions, events: MembershipEvents) {
    this.#options = options;
    this.#events = events;
    this.#join = new Join(options);
    this.#guard = new SessionGuard(options.sessionTimeoutMs);
    this.#alarm = new Alarm(() => this.#nowMs());
  }

  get memberId(): string {
    return this.#join.enrolment.memberId;
  }

  get memberEpoch(): number {
    return this.#join.enrolment.generation;
  }

  get incarnation(): number {
    return this.#incarnation;
  }

  start(): void {
    this.#loop = this.#run();
  }

  isAlive(assignment: Assignment): boolean {
    return this.#held.has(assignment);
  }

  isRevoking(assignment: Assignment): boolean {
    return this.#held.get(assignment) ?? false;
  }

  /** K-1: of the generation that the assignment came with, and no other. */
  commitEpoch(assignment: Assignment): number | null {
    return this.#held.has(assignment) ? assignment.epoch : null;
  }

  release(assignment: Assignment): void {
    if (this.#held.delete(assignment) && this.#held.size === 0) this.#alarm.ring();
  }

  mayDispatch(): boolean {
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    if (this.#guard.observe(nowMs, clock.wallMs())) this.#alarm.ring();
    return !this.#isOver && this.#guard.mayDispatch(nowMs);
  }

  expectChange(durationMs: number): void {
    this.#expectUntilMs = Math.max(this.#expectUntilMs, this.#nowMs() + durationMs);
    this.#alarm.ring();
  }

  /** A commit was refused for its generation: that of all assignments. */
  fenced(assignment: Assignment): void {
    if (this.#held.has(assignment)) this.#loseAll("fenced");
  }

  memberUnknown(incarnation: number): void {
    if (incarnation !== this.#incarnation) return;
    this.#loseAll("memberUnknown");
    this.#join.enrolment = NOBODY;
  }

  async confirm(): Promise<boolean> {
    const incarnation = this.#incarnation;
    if (this.#isOver) return false;
    await this.#beat();
    return incarnation === this.#incarnation && !this.#isOver && this.#guard.isCertain;
  }

  async leave(): Promise<void> {
    if (this.#ending === null) {
      this.#ending = "leave";
      this.#phase = "leaving";
      this.#tell();
      this.#drain();
    }
    this.#alarm.ring();
    // Nobody waits for a join: the coordinator ends it when its member leaves.
    const isJoining = this.#isOver;
    const drainMs = isJoining ? 0 : this.#options.drainLimitMs;
    if (isJoining) void this.#sayLeave(true);
    await this.#loopFor(drainMs + LEAVE_LIMIT_MS);
    this.abort();
  }

  /** After `abort`: once the leave is said, or nobody listened for it. */
  async left(): Promise<void> {
    await this.#loopFor(ABORT_LIMIT_MS);
  }

  abort(): void {
    if (this.#ending !== "abort") this.#loseAll("closed");
    this.#ending = "abort";
    if (this.#phase !== "left") {
      this.#phase = "left";
      this.#tell();
    }
    this.#alarm.ring();
  }

  /** Until the loop has ended, or the time is over. */
  async #loopFor(limitMs: number): Promise<void> {
    const limit = new Alarm(() => this.#nowMs());
    await Promise.race([this.#loop, limit.until(this.#nowMs() + limitMs)]);
    limit.ring();
  }

  async #run(): Promise<void> {
    for (let failures = 0; this.#ending === null; ) {
      const joined = await this.#join.attempt();
      if (this.#ending !== null) break;
      if (joined === "again") {
        // Each is a step forward; a coordinator that never gets there isn't asked in a tight loop.
        if (++failures > STEPS_MAX)
          await this.#alarm.until(
            this.#nowMs() + backoffMs(failures, RETRY_BASE_MS, RETRY_LIMIT_MS),
          );
      } else if (joined instanceof PenstockError) {
        failures++;
        const isMissing = joined.code === "kafkaTopicMissing";
        if (isMissing) this.#sight.missed(this.#nowMs());
        // It has nothing to join for, and the others shall not wait for it.
        if (isMissing && this.#sight.isGone(this.#nowMs())) await this.#sayLeave();
        const isDaily = isMissing || joined.code === "kafkaUnavailable";
        if (failures >= FAILURES_UNTIL_PROBLEM || !isDaily) this.#events.problem(joined);
        await this.#alarm.until(this.#nowMs() + backoffMs(failures, RETRY_BASE_MS, RETRY_LIMIT_MS));
      } else {
        failures = 0;
        this.#begin(joined);
        await this.#serve();
      }
    }
    await this.#depart();
  }

  #begin({ isLeader, view, sessionMs, sentAtMs, partitions, topicsLeftOut }: Joined): void {
    const { topic } = this.#options.client;
    this.#groupProblem = topicsLeftOut > 0 ? tooManyTopics(topicsLeftOut) : null;
    this.#events.problem(this.#groupProblem);
    this.#isLeader = isLeader;
    this.#view = view;
    this.#guard.sessionMs = sessionMs;
    this.#guard.reset();
    // The coordinator's timer starts anew when the sync is answered, which is later.
    this.#guard.proved(sentAtMs);
    this.#calmAtMs = sentAtMs;
    this.#guard.nextTickAtMs = Number.POSITIVE_INFINITY;
    this.#guard.observe(this.#nowMs(), this.#options.clock.wallMs());
    this.#incarnation++;
    this.#rebalances++;
    this.#isOver = false;
    this.#failures = 0;
    this.#drainUntilMs = null;
    this.#phase = "member";
    this.#tell();
    this.#sight.seen(view.topicId);
    const { topicId } = this.#sight;
    const { memberEpoch: epoch } = this;
    for (const partition of partitions) {
      const assignment: Assignment = { topic, topicId, partition, epoch };
      this.#held.set(assignment, false);
      this.#events.assigned(assignment);
    }
  }

  /** Heartbeats, until the generation is over: drained, or lost. */
  async #serve(): Promise<void> {
    this.#lookAtMs = this.#nowMs() + LOOK_INTERVAL_MS;
    while (!this.#isOver && !this.#hasDrained()) {
      const nowMs = this.#nowMs();
      const isMoving = this.#drainUntilMs !== null || nowMs < this.#expectUntilMs;
      const isHurried = isMoving || this.#failures > 0;
      const everyMs = heartbeatIntervalMs(this.#guard.sessionMs);
      const dueMs = nowMs + (isHurried ? Math.min(HURRIED_MS, everyMs) : everyMs);
      this.#guard.nextTickAtMs = dueMs;
      await this.#alarm.until(Math.min(dueMs, this.#drainUntilMs ?? dueMs));
      if (this.#isOver || this.#hasDrained()) break;
      this.#guard.observe(this.#nowMs(), this.#options.clock.wallMs());
      await this.#beat();
      if (this.#nowMs() < this.#lookAtMs) continue;
      this.#lookAtMs = this.#nowMs() + LOOK_INTERVAL_MS;
      void this.#look();
    }
    if (!this.#isOver) this.#loseAll("drainLimit");
  }

  #hasDrained(): boolean {
    if (this.#drainUntilMs === null) return false;
    return this.#held.size === 0 || this.#nowMs() >= this.#drainUntilMs;
  }

  #drain(): void {
    if (this.#drainUntilMs !== null) return;
    const { drainLimitMs } = this.#options;
    const { sessionMs } = this.#guard;
    this.#drainUntilMs = drainDeadlineMs(this.#nowMs(), this.#calmAtMs, drainLimitMs, sessionMs);
    for (const assignment of [...this.#held.keys()]) {
      this.#held.set(assignment, true);
      this.#events.revoking(assignment, this.#drainUntilMs);
    }
    this.#alarm.ring();
  }

  async #beat(): Promise<void> {
    const { client, requests, groupId } = this.#options;
    const subject = `consumer group "${groupId}"`;
    const incarnation = this.#incarnation;
    const sentAtMs = this.#nowMs();
    let code: number;
    try {
      code = await requests.heartbeat(this.#join.enrolment);
    } catch (error) {
      const problem = client.problemOf(error, subject);
      if (incarnation !== this.#incarnation || this.#isOver) return;
      this.#beatFailed(problem);
      return;
    }
    if (incarnation !== this.#incarnation || this.#isOver) return;
    if (code === KAFKA.none || code === KAFKA.rebalanceInProgress) {
      this.#guard.proved(sentAtMs);
      if (code === KAFKA.none) this.#calmAtMs = sentAtMs;
      this.#failures = 0;
      this.#events.problem(this.#groupProblem);
      if (code === KAFKA.rebalanceInProgress) this.#drain();
    } else if (code === KAFKA.unknownMemberId || code === KAFKA.illegalGeneration) {
      const isPause = !this.#guard.isCertain || this.#guard.hasRunOut(sentAtMs);
      this.#loseAll(isPause ? "sessionPaused" : "memberUnknown");
      if (code === KAFKA.unknownMemberId) this.#join.enrolment = NOBODY;
    } else {
      if (code === KAFKA.notCoordinator || code === KAFKA.coordinatorNotAvailable)
        requests.elsewhere();
      this.#beatFailed(kafkaRefusal(code, subject));
    }
  }

  #beatFailed(problem: PenstockError): void {
    this.#failures++;
    if (this.#guard.hasRunOut(this.#nowMs())) this.#loseAll("sessionPaused");
    // One failed request is the usual sign of a broker that restarts or moves the group.
    if (this.#failures >= FAILURES_UNTIL_PROBLEM || problem.code !== "kafkaUnavailable")
      this.#events.problem(problem);
  }

  /**
   * Partitions that were added are given by the leader, in a new generation (F15); a topic that was made again is another one, and of one that is gone everything is
   * given back (F14). A broker that has just started may know of no topic yet, so that must last.
   */
  async #look(): Promise<void> {
    const { client } = this.#options;
    const incarnation = this.#incarnation;
    const isOld = () => incarnation !== this.#incarnation || this.#isOver;
    try {
      const before = this.#view;
      const view = await client.view();
      if (!before || isOld()) return;
      if (!this.#sight.seen(view.topicId)) this.#loseAll("fenced");
      else if (this.#isLeader && view.leaders.size !== before.leaders.size) this.#drain();
    } catch (error) {
      // The topic watch of the source tells what is wrong with the topic.
      const { code } = client.problemOf(error, client.topic);
      if (isOld() || code !== "kafkaTopicMissing") return;
      this.#sight.missed(this.#nowMs());
      this.#lookAtMs = this.#nowMs() + LOOK_AGAIN_MS;
      if (this.#sight.isGone(this.#nowMs())) this.#drain();
    }
  }

  #loseAll(reason: LostReason): void {
    this.#isOver = true;
    for (const assignment of [...this.#held.keys()])
      if (this.#held.delete(assignment)) this.#events.lost(assignment, reason);
    this.#alarm.ring();
  }

  async #depart(): Promise<void> {
    this.#loseAll("closed");
    await this.#sayLeave();
  }

  async #sayLeave(isAside = false): Promise<void> {
    const { memberId } = this.#join.enrolment;
    this.#join.enrolment = NOBODY;
    // What can't be said now is told by the session, which runs out.
    if (memberId !== "") await this.#options.requests.leave(memberId, isAside).catch(() => {});
  }

  #tell(): void {
    this.#events.changed({
      phase: this.#phase,
      memberId: this.memberId,
      memberEpoch: Math.max(0, this.memberEpoch),
      rebalances: Math.max(0, this.#rebalances),
    });
  }

  #nowMs(): number {
    return this.#options.clock.nowMs();
  }
}

function tooManyTopics(leftOut: number): PenstockError {
  return new PenstockError(
    "kafkaUnsupported",
    `Other members of the consumer group read more than ${FOREIGN_TOPICS_MAX} topics; ${leftOut} of them are given to nobody. Give the mapping a group of its own.`,
  );
}
