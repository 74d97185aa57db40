/**
 * A member that takes the protocol which its group takes: consumer (KIP-848), and where the broker or the group refuses that, classic.
 *
 *   consumer ──refused──▶ classic ──refused, or a new incarnation──▶ consumer ─▶ …
 *
 * Always true: the protocol changes only while nothing is owned and no place in the group is held, so no promise depends on it; whoever asks with the
 * incarnation of another member gets the answer of a dead one.
 *
 * Who was told that another process has its group instance id goes on without it, whatever it speaks: otherwise the two would end each other for ever.
 */
import type { Assignment, Clock, MembershipState } from "@penstock/core";
import type { Membership, MembershipEvents } from "./membership.ts";

export type SpokenProtocol = "consumer" | "classic";
type Startable = Membership & { start(): void };

export interface AutoMembershipOptions {
  readonly clock: Clock;
  readonly open: (
    protocol: SpokenProtocol,
    events: MembershipEvents,
    protocolRefused: () => void,
    /** False: the group instance id is another's. */
    mayBeStatic: boolean,
  ) => Startable;
}

/** When both protocols are refused; the one that speaks goes on asking meanwhile, and tells the problem. */
const NEXT_SWITCH_MS = 5_000;

export class AutoMembership implements Membership {
  readonly #options: AutoMembershipOptions;
  readonly #events: MembershipEvents;
  #protocol: SpokenProtocol = "consumer";
  #current: Startable;
  #phase: MembershipState["phase"] = "joining";
  #refusals = 0;
  #mayBeStatic = true;
  #switchedAtMs = Number.NEGATIVE_INFINITY;
  #pastIncarnations = 0;
  #pastRebalances = 0;
  #rebalances = 0;

  constructor(options: AutoMembershipOptions, events: MembershipEvents) {
    this.#options = options;
    this.#events = events;
    this.#current = this.#open("consumer");
  }

  get memberId(): string {
    return this.#current.memberId;
  }

  get groupInstanceId(): string | null {
    return this.#current.groupInstanceId;
  }

  get memberEpoch(): number {
    return this.#current.memberEpoch;
  }

  get incarnation(): number {
    return this.#pastIncarnations + this.#current.incarnation;
  }

  start(): void {
    this.#current.start();
  }

  commitEpoch(assignment: Assignment): number | null {
    return this.#current.commitEpoch(assignment);
  }

  isAlive(assignment: Assignment): boolean {
    return this.#current.isAlive(assignment);
  }

  isRevoking(assignment: Assignment): boolean {
    return this.#current.isRevoking(assignment);
  }

  release(assignment: Assignment): void {
    this.#current.release(assignment);
  }

  mayDispatch(): boolean {
    return this.#current.mayDispatch();
  }

  expectChange(durationMs: number): void {
    this.#current.expectChange(durationMs);
  }

  fenced(assignment: Assignment): void {
    this.#current.fenced(assignment);
  }

  memberUnknown(incarnation: number): void {
    this.#current.memberUnknown(incarnation - this.#pastIncarnations);
  }

  confirm(): Promise<boolean> {
    return this.#current.confirm();
  }

  leave(isRestart: boolean): Promise<void> {
    return this.#current.leave(isRestart);
  }

  abort(): void {
    this.#current.abort();
  }

  #open(protocol: SpokenProtocol): Startable {
    const isCurrent = () => this.#current === opened;
    const opened: Startable = this.#options.open(
      protocol,
      {
        assigned: (assignment) => isCurrent() && this.#events.assigned(assignment),
        revoking: (assignment, deadlineMs) =>
          isCurrent() && this.#events.revoking(assignment, deadlineMs),
        lost: (assignment, reason) => isCurrent() && this.#events.lost(assignment, reason),
        problem: (problem) => isCurrent() && this.#events.problem(problem),
        changed: (state) => isCurrent() && this.#changed(state),
      },
      () => isCurrent() && this.#refused(),
      this.#mayBeStatic,
    );
    this.#protocol = protocol;
    return opened;
  }

  #changed(state: MembershipState): void {
    const wasIn = this.#phase === "member";
    this.#phase = state.phase;
    this.#rebalances = state.rebalances;
    if (state.phase === "member") this.#refusals = 0;
    this.#events.changed({ ...state, rebalances: this.#pastRebalances + state.rebalances });
    // What made the group classic may be gone by now.
    if (wasIn && state.phase === "joining" && this.#protocol === "classic")
      this.#switch("consumer");
  }

  #refused(): void {
    if (this.#phase !== "joining") return;
    this.#refusals++;
    const nowMs = this.#options.clock.nowMs();
    if (this.#refusals > 1 && nowMs < this.#switchedAtMs + NEXT_SWITCH_MS) return;
    this.#switch(this.#protocol === "consumer" ? "classic" : "consumer");
  }

  #switch(protocol: SpokenProtocol): void {
    const past = this.#current;
    this.#mayBeStatic = past.groupInstanceId !== null;
    this.#pastIncarnations += past.incarnation;
    this.#pastRebalances += this.#rebalances;
    this.#rebalances = 0;
    this.#switchedAtMs = this.#options.clock.nowMs();
    this.#current = this.#open(protocol);
    past.abort();
    this.#current.start();
  }
}
