/**
 * A member of a classic group at work: carries out the steps of `ClassicMember`, holds its timers and its requests.
 *
 *   control connection, shared     heartbeat, leave            (and everybody's look-ups)
 *   join connection, its own       JoinGroup, SyncGroup        held by the coordinator until the slowest member has come
 *
 * A broker answers the requests of a connection in order, so one member's join on a shared connection would hold up the heartbeats and commits of all the
 * others until its group is complete: up to the drain limit of the slowest, longer than most sessions. Rebalances are rare, so the connection is closed
 * when none has come for a while: an idle member costs no socket, and a rebalance after a quiet time one dial.
 */
import { type Assignment, type Clock, PenstockError } from "@penstock/core";
import type { Connection } from "@platformatic/kafka";
import type { Cluster } from "../../cluster/cluster.ts";
import type { KafkaLog } from "../../cluster/log.ts";
import { Confirmations } from "../confirmations.ts";
import type { Membership, MembershipEvents } from "../membership.ts";
import { noAnswer } from "../no-answer.ts";
import { StepQueue } from "../step-queue.ts";
import {
  knowsInstances,
  type Refusal,
  sendClassicHeartbeat,
  sendJoin,
  sendSync,
} from "./classic-wire.ts";
import { GroupTopics } from "./group-topics.ts";
import { leaveGroup } from "./leave-group.ts";
import { ClassicMember } from "./member/classic-member.ts";
import type { ClassicStep } from "./member/classic-step.ts";

export interface ClassicMembershipOptions {
  readonly cluster: Cluster;
  readonly groupId: string;
  readonly topic: string;
  readonly drainLimitMs: number;
  readonly sessionTimeoutMs: number;
  readonly groupInstanceId: string | null;
  readonly rack: string | null;
  readonly clock: Clock;
  readonly log: KafkaLog;
  /** The group takes no classic members, or the broker doesn't. Called for each refusal. */
  readonly protocolRefused: () => void;
}

/** Everything is released: a leave that gets no answer is given up after this, and the session ends the membership. */
const LEAVE_GRACE_MS = 2_000;
const JOIN_CONNECTION_IDLE_MS = 10_000;
/** One failed request is the usual sign of a broker that restarts or moves the group. */
const FAILURES_UNTIL_PROBLEM = 2;

export class ClassicMembership implements Membership {
  readonly #options: ClassicMembershipOptions;
  readonly #events: MembershipEvents;
  readonly #member: ClassicMember;
  readonly #topics: GroupTopics;
  readonly #confirmations = new Confirmations();
  readonly #left: Promise<void>;
  #resolveLeft: () => void = () => {};
  #timer: NodeJS.Timeout | null = null;
  #leaveTimer: NodeJS.Timeout | null = null;
  #idleTimer: NodeJS.Timeout | null = null;
  #isJoinSent = false;
  readonly #steps = new StepQueue<ClassicStep>((step) => this.#do(step));
  /** Of joins, syncs and look-ups for them: the answer to an older one is nobody's. */
  #attempt = 0;
  #failures = 0;
  #topicRefusal: PenstockError | null = null;

  constructor(options: ClassicMembershipOptions, events: MembershipEvents) {
    const { cluster, topic } = options;
    this.#options = options;
    this.#events = events;
    this.#member = new ClassicMember(options);
    this.#topics = new GroupTopics(cluster, topic, {
      clock: options.clock,
      read: (topics) => this.#apply(this.#member.look(this.#nowMs(), topics)),
      refused: (problem) => {
        this.#topicRefusal = problem;
      },
    });
    this.#left = new Promise((resolve) => {
      this.#resolveLeft = resolve;
    });
  }

  get memberId(): string {
    return this.#member.state.memberId;
  }

  get groupInstanceId(): string | null {
    return this.#member.groupInstanceId;
  }

  get memberEpoch(): number {
    return this.#member.state.memberEpoch;
  }

  get incarnation(): number {
    return this.#member.incarnation;
  }

  start(): void {
    this.#topics.start();
    this.#tick();
  }

  commitEpoch(): number | null {
    return this.#member.generation.ofCommits;
  }

  isAlive(assignment: Assignment): boolean {
    return this.#member.held.has(assignment);
  }

  isRevoking(assignment: Assignment): boolean {
    return this.#member.held.isDraining(assignment);
  }

  release(assignment: Assignment): void {
    this.#apply(this.#member.release(this.#nowMs(), assignment));
  }

  mayDispatch(): boolean {
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    const { guard, state } = this.#member;
    if (guard.observe(nowMs, clock.wallMs())) this.#arm();
    const isIn = state.phase === "member" || state.phase === "leaving";
    return isIn && guard.mayDispatch(nowMs) && !this.#member.isOwnershipUncertain;
  }

  expectChange(durationMs: number): void {
    this.#member.beat.expectChange(this.#nowMs(), durationMs);
    this.#arm();
  }

  fenced(assignment: Assignment): void {
    this.#apply(this.#member.fenced(this.#nowMs(), assignment));
  }

  memberUnknown(incarnation: number): void {
    if (incarnation !== this.#member.incarnation) return;
    this.#apply(this.#member.memberUnknown(this.#nowMs()));
  }

  confirm(): Promise<boolean> {
    if (!this.#member.canBeat) return Promise.resolve(false);
    const confirmed = this.#confirmations.wait(this.incarnation);
    this.#member.beat.hurry();
    this.#arm();
    return confirmed;
  }

  leave(isRestart: boolean): Promise<void> {
    this.#apply(this.#member.leave(this.#nowMs(), isRestart));
    return this.#left;
  }

  abort(): void {
    if (this.#hasLeft) return;
    const isIn = this.memberId !== "" && this.groupInstanceId === null;
    if (isIn) void this.#sendLeave(this.memberId);
    this.#apply(this.#member.abort());
  }

  get #hasLeft(): boolean {
    return this.#member.state.phase === "left";
  }

  /** Nobody asks for it any more: not to be sent. A step may follow the one that ended the member. */
  #isOver(attempt: number): boolean {
    return this.#hasLeft || attempt !== this.#attempt;
  }

  #nowMs(): number {
    return this.#options.clock.nowMs();
  }

  #tick(): void {
    const { clock, groupId, log } = this.#options;
    const nowMs = clock.nowMs();
    if (this.#member.guard.observe(nowMs, clock.wallMs()))
      log.warn("process pause noticed; nothing is dispatched until a heartbeat succeeds", {
        group: groupId,
      });
    this.#apply(this.#member.tick(nowMs));
  }

  #arm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const nowMs = this.#nowMs();
    const atMs = this.#member.nextTickAtMs(nowMs);
    this.#member.guard.nextTickAtMs = Math.max(atMs, nowMs);
    if (this.#member.state.phase === "leaving" && this.#member.held.count === 0)
      this.#leaveTimer ??= setTimeout(() => this.abort(), LEAVE_GRACE_MS);
    if (atMs === Number.POSITIVE_INFINITY) return;
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, Math.ceil(atMs - nowMs)));
  }

  #apply(steps: readonly ClassicStep[]): void {
    if (!this.#steps.run(steps)) return;
    const { generation, needsTopic } = this.#member;
    this.#topics.watch(generation.topics, needsTopic);
    this.#keepJoinConnection();
    this.#arm();
  }

  #keepJoinConnection(): void {
    const isNeeded = this.#member.isAsking || this.#hasLeft;
    if (isNeeded && this.#idleTimer) clearTimeout(this.#idleTimer);
    if (isNeeded) this.#idleTimer = null;
    else
      this.#idleTimer ??= setTimeout(
        () => this.#options.cluster.closeOwner(this),
        JOIN_CONNECTION_IDLE_MS,
      );
  }

  #do(step: ClassicStep): void {
    switch (step.do) {
      case "heartbeat":
        void this.#heartbeat();
        return;
      case "join":
        void this.#join(++this.#attempt);
        return;
      case "readTopics":
        void this.#readTopics(++this.#attempt);
        return;
      case "sync":
        void this.#sync(++this.#attempt);
        return;
      case "dropJoin":
        this.#attempt++;
        this.#isJoinSent = false;
        this.#options.cluster.closeOwner(this);
        return;
      case "leave":
        void this.#leaveGroup();
        return;
      case "assigned":
        this.#events.assigned(step.assignment);
        return;
      case "revoking":
        this.#events.revoking(step.assignment, step.deadlineMs);
        return;
      case "lost":
        this.#events.lost(step.assignment, step.reason);
        return;
      case "changed":
        this.#confirmations.only(this.incarnation);
        this.#events.changed(this.#member.state);
        if (this.#hasLeft) this.#ended();
    }
  }

  async #heartbeat(): Promise<void> {
    const { cluster, groupId } = this.#options;
    const incarnation = this.incarnation;
    if (this.#hasLeft) return;
    const outcome = await this.#ask("control", async (connection) => {
      if (this.#hasLeft) return null;
      this.#confirmations.began();
      const heartbeat = this.#member.heartbeat(this.#nowMs());
      return sendClassicHeartbeat(cluster, connection, groupId, heartbeat);
    });
    if (this.#hasLeft) return;
    const failure = outcome?.failure ?? null;
    const isProof = failure === null || failure === "rebalancing";
    this.#heard(isProof ? null : outcome);
    if (isProof) this.#confirmations.succeeded(incarnation);
    else this.#confirmations.failed();
    this.#apply(this.#member.heartbeatAnswered(this.#nowMs(), failure));
  }

  async #join(attempt: number): Promise<void> {
    const { cluster, groupId, protocolRefused } = this.#options;
    if (this.#isOver(attempt)) return;
    this.#isJoinSent = true;
    const outcome = await this.#ask("join", async (connection) => {
      if (this.#isOver(attempt)) return null;
      const request = this.#member.joinRequest(this.#nowMs(), knowsInstances(cluster, connection));
      return sendJoin(cluster, connection, groupId, request);
    });
    if (attempt === this.#attempt) this.#isJoinSent = false;
    if (this.#hasLeft) {
      // Known to the coordinator by now: the others would wait for it.
      if (outcome && "memberId" in outcome) await this.#sendLeave(outcome.memberId);
      if (outcome && "answer" in outcome) await this.#sendLeave(outcome.answer.memberId);
      cluster.closeOwner(this);
      return;
    }
    if (outcome === null || attempt !== this.#attempt) return;
    if ("failure" in outcome) {
      if (outcome.isOtherProtocol) protocolRefused();
      if (outcome.failure !== "sessionRefused") this.#heard(outcome);
      else this.#events.problem(outcome.problem);
    } else this.#heard(null);
    this.#apply(this.#member.joinAnswered(this.#nowMs(), outcome));
  }

  async #readTopics(attempt: number): Promise<void> {
    const { topics } = this.#member.generation;
    const found = await this.#topics.read(topics, () => !this.#isOver(attempt));
    if (!found || this.#isOver(attempt)) return;
    this.#apply(this.#member.look(this.#nowMs(), found));
    this.#apply(this.#member.topicsRead(this.#nowMs(), found));
  }

  async #sync(attempt: number): Promise<void> {
    const { cluster, groupId } = this.#options;
    if (this.#isOver(attempt)) return;
    const outcome = await this.#ask("join", async (connection) => {
      if (this.#isOver(attempt)) return null;
      return sendSync(cluster, connection, groupId, this.#member.syncRequest(this.#nowMs()));
    });
    if (outcome === null || this.#isOver(attempt)) return;
    if ("failure" in outcome) this.#heard(outcome.failure === "rebalancing" ? null : outcome);
    this.#apply(this.#member.syncAnswered(this.#nowMs(), outcome));
  }

  async #leaveGroup(): Promise<void> {
    if (await this.#sendLeave(this.memberId)) this.#apply(this.#member.abort());
    else this.abort();
  }

  /** An answer, or why there is none. */
  async #ask<T>(
    purpose: "control" | "join",
    send: (connection: Connection) => Promise<T>,
  ): Promise<T | Refusal> {
    const { cluster, groupId } = this.#options;
    try {
      const nodeId = await cluster.coordinator(groupId);
      const connection = await cluster.brokerConnection(nodeId, purpose, this);
      return await send(connection);
    } catch (error) {
      return noAnswer(error, groupId);
    }
  }

  #heard(refusal: Refusal | null): void {
    if (refusal === null) {
      this.#failures = 0;
      this.#events.problem(this.#standingProblem());
      return;
    }
    const { failure, problem, isElsewhere } = refusal;
    if (isElsewhere) this.#options.cluster.invalidateCoordinator(this.#options.groupId);
    this.#failures++;
    const isShown = failure === "refused" || this.#failures >= FAILURES_UNTIL_PROBLEM;
    const isTrouble = failure === "refused" || failure === "transient";
    if (isTrouble && isShown) this.#events.problem(problem);
    if (failure === "instanceTaken")
      this.#options.log.warn(
        "another member has the group instance id of this one, which goes on without; is PENSTOCK_NODE_ID used twice?",
        { group: this.#options.groupId },
      );
  }

  /** What is wrong while the coordinator finds nothing wrong. */
  #standingProblem(): PenstockError | null {
    if (!this.#member.generation.isUnreadable) return this.#topicRefusal;
    return new PenstockError(
      "kafkaCorrupt",
      `The leader of consumer group "${this.#options.groupId}" sent an assignment that can't be read, so nothing is assigned to this member; see which client leads the group.`,
    );
  }

  #sendLeave(memberId: string): Promise<boolean> {
    const { cluster, groupId, log } = this.#options;
    const { groupInstanceId } = this;
    return leaveGroup({ cluster, groupId, log, memberId, groupInstanceId });
  }

  #ended(): void {
    if (this.#leaveTimer) clearTimeout(this.#leaveTimer);
    if (this.#timer) clearTimeout(this.#timer);
    this.#topics.stop();
    this.#confirmations.failed();
    // The answer to a join that is on its way tells whose leave is to be sent.
    const { cluster } = this.#options;
    if (this.#isJoinSent) setTimeout(() => cluster.closeOwner(this), LEAVE_GRACE_MS).unref();
    else cluster.closeOwner(this);
    this.#resolveLeft();
  }
}
