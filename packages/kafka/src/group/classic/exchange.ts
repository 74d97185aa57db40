/** What a member of a classic group and its coordinator say to each other, free of the wire. */

export interface JoinRequest {
  /** "" asks for one. */
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly sessionTimeoutMs: number;
  readonly rebalanceTimeoutMs: number;
  /** In order of preference; the coordinator takes one that every member offers. */
  readonly protocols: readonly { readonly name: string; readonly metadata: Buffer }[];
}

export interface JoinAnswer {
  readonly memberId: string;
  readonly generation: number;
  readonly protocol: string;
  readonly leaderId: string;
  /** The leader came back as a static member: the assignment of before stays. */
  readonly skipsAssignment: boolean;
  /** A static member came back, and brokers of this version name the leader as it was called before: it may be this one. */
  readonly mayHideLeader?: boolean;
  /** Only the leader is told. */
  readonly members: readonly JoinedMember[];
}

export interface JoinedMember {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly metadata: Buffer;
}

export interface SyncRequest {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generation: number;
  readonly protocol: string;
  readonly assignments: readonly { readonly memberId: string; readonly assignment: Buffer }[];
}

export interface MemberName {
  readonly memberId: string;
  readonly groupInstanceId: string | null;
  readonly generation: number;
}

/** Why the coordinator gave no answer to a join, sync or heartbeat. */
export type ClassicFailure =
  /** It doesn't know the member: everything is lost. */
  | "memberUnknown"
  /** Another member has our instance id. */
  | "instanceTaken"
  /** It has another generation than we. */
  | "otherGeneration"
  /** It waits for all members to join (heartbeat, sync). */
  | "rebalancing"
  /** Our session timeout is outside of what it allows. */
  | "sessionRefused"
  /** No answer, no connection, no coordinator: it may have been processed. */
  | "transient"
  /** Refused until somebody changes something: rights, versions, limits, assignors. */
  | "refused";

export type JoinOutcome =
  | { readonly answer: JoinAnswer }
  /** Ask again, under this id. */
  | { readonly memberId: string }
  | { readonly failure: ClassicFailure };

export type SyncOutcome = { readonly assignment: Buffer } | { readonly failure: ClassicFailure };

/** null: all is well, nothing changes. */
export type HeartbeatOutcome = ClassicFailure | null;

export const NO_GENERATION = -1;

/** The member is none any more. */
export function isEnd(outcome: HeartbeatOutcome): outcome is "memberUnknown" | "instanceTaken" {
  return outcome === "memberUnknown" || outcome === "instanceTaken";
}

export function isRefusal(failure: ClassicFailure): boolean {
  return failure === "refused" || failure === "sessionRefused";
}
