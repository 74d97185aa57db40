/**
 * A member of a KIP-848 group at work: carries out the steps of `GroupMember`, holds its one timer and its one heartbeat.
 *
 * Heartbeats go over the coordinator's shared control connection and wait for nothing else. Steps are applied in order, also when the
 * handler of one calls back into here.
 */
import { type Assignment, type Clock, PenstockError } from "@penstock/core";
import type { Connection } from "@platformatic/kafka";
import type { Cluster } from "../../cluster/cluster.ts";
import type { KafkaLog } from "../../cluster/log.ts";
import { Confirmations } from "../confirmations.ts";
import type { Membership, MembershipEvents } from "../membership.ts";
import { noAnswer } from "../no-answer.ts";
import { StepQueue } from "../step-queue.ts";
import { GroupMember, type MemberStep } from "./group-member.ts";
import { type HeartbeatResult, requireHeartbeats, sendHeartbeat } from "./heartbeat-wire.ts";
import { readSessionTimeoutMs } from "./session-timeout.ts";

export interface ConsumerMembershipOptions {
  readonly cluster: Cluster;
  readonly groupId: string;
  readonly topic: string;
  readonly memberId: string;
  readonly drainLimitMs: number;
  /** Told to the coordinator, whose assignors may heed it. "" = none. */
  readonly rack?: string | undefined;
  readonly groupInstanceId?: string | null;
  readonly clock: Clock;
  readonly log: KafkaLog;
  /** The group takes no members of this protocol, or the broker doesn't. Called for each refusal. */
  readonly protocolRefused?: () => void;
}

/** Everything is released: a leave that gets no answer is given up after this, and the session ends the membership. */
const LEAVE_GRACE_MS = 2_000;
/** One failed heartbeat is the usual sign of a broker that restarts or moves the group. */
const FAILURES_UNTIL_PROBLEM = 2;

export class ConsumerMembership implements Membership {
  readonly #options: ConsumerMembershipOptions;
  readonly #events: MembershipEvents;
  readonly #member: GroupMember;
  readonly #left: Promise<void>;
  #resolveLeft: () => void = () => {};
  #timer: NodeJS.Timeout | null = null;
  #leaveTimer: NodeJS.Timeout | null = null;
  readonly #steps = new StepQueue<MemberStep>((step) => this.#do(step));
  #connection: Connection | null = null;
  readonly #confirmations = new Confirmations();
  #failures = 0;
  #sessionReadFor = 0;

  constructor(options: ConsumerMembershipOptions, events: MembershipEvents) {
    this.#options = options;
    this.#events = events;
    this.#member = new GroupMember(options);
    this.#left = new Promise((resolve) => {
      this.#resolveLeft = resolve;
    });
  }

  get memberId(): string {
    return this.#options.memberId;
  }

  get memberEpoch(): number {
    return this.#member.state.memberEpoch;
  }

  get incarnation(): number {
    return this.#member.incarnation;
  }

  start(): void {
    this.#tick();
  }

  get groupInstanceId(): string | null {
    return this.#options.groupInstanceId ?? null;
  }

  commitEpoch(assignment: Assignment): number {
    return assignment.epoch;
  }

  isAlive(assignment: Assignment): boolean {
    return this.#member.isAlive(assignment);
  }

  isRevoking(assignment: Assignment): boolean {
    return this.#member.isRevoking(assignment);
  }

  release(assignment: Assignment): void {
    this.#apply(this.#member.release(this.#nowMs(), assignment));
  }

  mayDispatch(): boolean {
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    const { guard, state } = this.#member;
    if (guard.observe(nowMs, clock.wallMs())) this.#arm();
    return (state.phase === "member" || state.phase === "leaving") && guard.mayDispatch(nowMs);
  }

  expectChange(durationMs: number): void {
    this.#member.expectChange(this.#nowMs(), durationMs);
    this.#arm();
  }

  fenced(assignment: Assignment): void {
    this.#apply(this.#member.fenced(assignment));
  }

  memberUnknown(incarnation: number): void {
    if (incarnation !== this.#member.incarnation) return;
    this.#apply(this.#member.memberUnknown(this.#nowMs()));
  }

  confirm(): Promise<boolean> {
    if (this.#member.state.phase === "left") return Promise.resolve(false);
    const confirmed = this.#confirmations.wait(this.incarnation);
    this.#member.hurry();
    this.#arm();
    return confirmed;
  }

  leave(isRestart: boolean): Promise<void> {
    this.#apply(this.#member.leave(this.#nowMs(), isRestart));
    return this.#left;
  }

  abort(): void {
    if (this.#member.state.phase === "left") return;
    const steps = this.#member.abort();
    if (this.groupInstanceId === null) void this.#sendLeave();
    this.#apply(steps);
  }

  #nowMs(): number {
    return this.#options.clock.nowMs();
  }

  #tick(): void {
    const { clock } = this.#options;
    const nowMs = clock.nowMs();
    if (this.#member.guard.observe(nowMs, clock.wallMs()))
      this.#options.log.warn(
        "process pause noticed; nothing is dispatched until a heartbeat succeeds",
        {
          group: this.#options.groupId,
        },
      );
    this.#apply(this.#member.tick(nowMs));
  }

  #arm(): void {
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
    const nowMs = this.#nowMs();
    const atMs = this.#member.nextTickAtMs(nowMs);
    this.#member.guard.nextTickAtMs = Math.max(atMs, nowMs);
    if (atMs === Number.POSITIVE_INFINITY) return;
    if (this.#member.state.phase === "leaving" && this.#member.ownedCount === 0)
      this.#leaveTimer ??= setTimeout(() => this.abort(), LEAVE_GRACE_MS);
    this.#timer = setTimeout(() => this.#tick(), Math.max(0, Math.ceil(atMs - nowMs)));
  }

  #apply(steps: readonly MemberStep[]): void {
    if (!this.#steps.run(steps)) return;
    this.#arm();
  }

  #do(step: MemberStep): void {
    switch (step.do) {
      case "heartbeat":
        void this.#heartbeat();
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
        if (this.#member.state.phase === "left") this.#ended();
    }
  }

  async #heartbeat(): Promise<void> {
    const { cluster, groupId, rack } = this.#options;
    let result: HeartbeatResult;
    try {
      const nodeId = await cluster.coordinator(groupId);
      const connection = await cluster.brokerConnection(nodeId, "control");
      requireHeartbeats(cluster, connection);
      // Aborted meanwhile: a join sent now would leave a member behind that nobody runs.
      if (this.#member.state.phase === "left") return;
      this.#readSession(connection, nodeId);
      const heartbeat = this.#member.compose(this.#nowMs(), connection !== this.#connection);
      this.#connection = connection;
      this.#confirmations.began();
      result = await sendHeartbeat(cluster, connection, groupId, heartbeat, rack);
    } catch (error) {
      result = noAnswer(error, groupId);
    }
    this.#heard(result);
  }

  #heard(result: HeartbeatResult): void {
    if ("answer" in result) {
      this.#failures = 0;
      this.#events.problem(null);
      const steps = this.#member.answered(this.#nowMs(), result.answer);
      this.#confirmations.succeeded(this.incarnation);
      this.#apply(steps);
      return;
    }
    if (result.isElsewhere) this.#options.cluster.invalidateCoordinator(this.#options.groupId);
    if (result.isOtherProtocol) this.#options.protocolRefused?.();
    this.#failures++;
    const isShown = result.failure === "refused" || this.#failures >= FAILURES_UNTIL_PROBLEM;
    if (result.failure !== "memberUnknown" && isShown) this.#events.problem(result.problem);
    this.#confirmations.failed();
    this.#apply(this.#member.failed(this.#nowMs(), result.failure));
  }

  /** Once for each incarnation: the group's settings may change between two. */
  #readSession(connection: Connection, nodeId: number): void {
    if (this.#sessionReadFor === this.incarnation) return;
    this.#sessionReadFor = this.incarnation;
    readSessionTimeoutMs(this.#options.cluster, connection, nodeId, this.#options.groupId).then(
      (sessionMs) => this.#member.learnSession(sessionMs),
      (error) => {
        if (!(error instanceof PenstockError)) throw error;
        this.#options.log.debug("session timeout unknown; three heartbeat intervals are assumed", {
          group: this.#options.groupId,
          reason: error.code,
        });
      },
    );
  }

  async #sendLeave(): Promise<void> {
    const { cluster, groupId, log } = this.#options;
    if (!this.#connection?.isConnected()) return;
    try {
      await sendHeartbeat(cluster, this.#connection, groupId, this.#member.leaveHeartbeat());
    } catch (error) {
      log.debug("leave not confirmed; the session will end the membership", {
        group: groupId,
        reason: error instanceof PenstockError ? error.code : "unknown",
      });
    }
  }

  #ended(): void {
    if (this.#leaveTimer) clearTimeout(this.#leaveTimer);
    this.#confirmations.failed();
    this.#resolveLeft();
  }
}
