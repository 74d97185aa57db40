import type { Assignment, LostReason, MembershipState, PenstockError } from "@penstock/core";

/**
 * How a member of a consumer group learns what it owns: the port behind which the group protocol lives (`consumer`: KIP-848; `classic`).
 *
 *   start ─▶ joining ─▶ member: `assigned`, `revoking` … `release`, `lost` ─▶ leave ─▶ left
 *
 * A partition stays in the member's owned list, and so with this member, until `release` or until its drain limit passed.
 * An assignment is alive from `assigned` until `release` or `lost`; identity of the object is its identity.
 */
export interface Membership {
  /** "" until the coordinator has given one (classic groups; it changes with each incarnation there). */
  readonly memberId: string;
  /** Of a static member (KIP-345). */
  readonly groupInstanceId: string | null;
  /** The epoch that requests which name the member itself carry (OffsetFetch). */
  readonly memberEpoch: number;
  /** Grows with every join: an answer from before the present one says nothing about it. */
  readonly incarnation: number;
  /**
   * The epoch that a commit of an alive assignment carries now: its own (KIP-848), or that of the generation whose assignment is known (classic: the
   * coordinator knows no other, and a partition that was kept is ours under it). Null: none now, because a generation is being changed.
   */
  commitEpoch(assignment: Assignment): number | null;
  isAlive(assignment: Assignment): boolean;
  isRevoking(assignment: Assignment): boolean;
  release(assignment: Assignment): void;
  mayDispatch(): boolean;
  expectChange(durationMs: number): void;
  /** Kafka refused a commit of this assignment: it is dead, and the owned list is settled with the broker anew. */
  fenced(assignment: Assignment): void;
  /** Kafka doesn't know the member of this incarnation any more: everything is lost; joins again. */
  memberUnknown(incarnation: number): void;
  /**
   * True once a heartbeat that began after this call has succeeded for the same incarnation; false when it failed. With it, an
   * alive assignment was ours at the broker after the call.
   */
  confirm(): Promise<boolean>;
  /**
   * Asks for everything back, waits for the releases or the drain limit, leaves the group. `isRestart`: a static member keeps its place, for who
   * comes back under its name within the session.
   */
  leave(isRestart: boolean): Promise<void>;
  /** Everything is lost at once; a leave is sent and not waited for. */
  abort(): void;
}

export interface MembershipEvents {
  assigned(assignment: Assignment): void;
  revoking(assignment: Assignment, deadlineMs: number): void;
  lost(assignment: Assignment, reason: LostReason): void;
  changed(state: MembershipState): void;
  problem(problem: PenstockError | null): void;
}
