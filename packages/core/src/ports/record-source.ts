import type { PenstockError } from "../errors/penstock-error.ts";
import type { RecordBatch } from "../records/record-batch.ts";
import type { SourceSecurity } from "./source-security.ts";

/**
 * The record source port: one member of one consumer group, reading one topic.
 *
 *   open ─▶ joining ─▶ member: partitions come (`adopted`) and go (`revoking` … `release`, or `lost`) ─▶ close
 *
 * The source owns connections, membership, fetching and commits; the event poller owns what a record means. All events
 * are synchronous calls on one thread; a handler never blocks the source, and nothing that a handler does delays a heartbeat.
 *
 * An `Assignment` is one assignment of one partition to this member. It is created by `adopted` and dead after `lost` or `release`;
 * every call and event carries it, and calls with a dead one are ignored (fetch control) or refused (commit).
 */
export interface Assignment {
  readonly topic: string;
  /** UUID of the topic, lower-case hex with dashes. */
  readonly topicId: string;
  readonly partition: number;
  /** Assignment epoch (KIP-1251): the member epoch at which this partition was adopted. Commits carry it. */
  readonly epoch: number;
}

/** What the brokers know of a partition when it is adopted. */
export interface PartitionStart {
  /** The group's committed offset, null when it has none. */
  readonly committed: { readonly offset: bigint; readonly metadata: string } | null;
  /** Oldest offset in the log. */
  readonly logStart: bigint;
  /** Last stable offset: the end of what a reader of committed data can see. */
  readonly logEnd: bigint;
  /** High watermark: at or above `logEnd`. */
  readonly highWatermark: bigint;
}

export interface RecordSourceEvents {
  /** A partition is ours from now on. Nothing is fetched until `fetch` is called for it. */
  adopted(assignment: Assignment, start: PartitionStart): void;
  /** Records arrived, in order, never for a revoked or lost assignment. The lane owns the batches and releases their memory. */
  records(assignment: Assignment, batches: readonly RecordBatch[]): void;
  /** The ends of the log moved (fetch responses report them). Called before `records` of the same response. */
  logEnds(assignment: Assignment, logStart: bigint, logEnd: bigint, highWatermark: bigint): void;
  /** All partitions of one fetch response were handed over: a moment to form batches. */
  responseEnd(): void;
  /**
   * The group wants the partition back. Fetching it has stopped. The lane finishes its call, commits, and calls `release`; after
   * `deadlineMs` (monotonic, `Clock.nowMs`) the source gives it up anyway (`lost`).
   */
  revoking(assignment: Assignment, deadlineMs: number): void;
  /** The partition is no longer ours, or may not be: discard its work, commit nothing. */
  lost(assignment: Assignment, reason: LostReason): void;
  /** The position is outside the log. The source fetches nothing more of it until `fetch` is called with another position. */
  outOfRange(assignment: Assignment, position: bigint, logStart: bigint, logEnd: bigint): void;
  /** Records of `[from, to)` can't be given (checksum, codec, inflation limit): the lane decides and calls `fetch(to)`. */
  undecodable(assignment: Assignment, from: bigint, to: bigint, reason: string): void;
  /** The present problem of the source as a whole, null when it healed. */
  problem(problem: PenstockError | null): void;
  /** A group rebalance moved partitions of this member, or the state of the membership changed (for metrics and DescribePoller). */
  membership(state: MembershipState): void;
}

export type LostReason = "drainLimit" | "fenced" | "memberUnknown" | "sessionPaused" | "closed";

export interface MembershipState {
  readonly phase: "joining" | "member" | "leaving" | "left";
  readonly memberId: string;
  readonly memberEpoch: number;
  readonly rebalances: number;
}

/** One offset to commit. */
export interface OffsetCommit {
  readonly assignment: Assignment;
  /** Next offset to read after a restart. */
  readonly offset: bigint;
  /** At most 4096 bytes, fenced by Kafka together with the offset. */
  readonly metadata: string;
}

/**
 * `committed`: Kafka acknowledged it. `fenced`: the assignment is dead (its `lost` has been or is being sent).
 * `unknown`: no answer, or none that decides; commit again, with the same or a later offset.
 */
export type CommitResult = "committed" | "fenced" | "unknown";

export interface RecordSource {
  /** Starts fetching at `position`, or moves there. */
  fetch(assignment: Assignment, position: bigint): void;
  /** Takes the lane out of the fetch: its buffer is over the high mark. Records already on their way still arrive. */
  pause(assignment: Assignment): void;
  /** Puts it back at the position after the last record that was handed over, without waiting for a parked long poll. */
  resume(assignment: Assignment): void;
  /** Commits offsets; resolves with one result for each entry, never rejects. The caller keeps one request in flight. */
  commit(commits: readonly OffsetCommit[]): Promise<readonly CommitResult[]>;
  /** The lane has drained and committed: the source may acknowledge the revocation. */
  release(assignment: Assignment): void;
  /**
   * Whether the membership is certain enough to start a call: false after a pause of the process until a heartbeat has
   * succeeded. Cheap; asked before every dispatch.
   */
  mayDispatch(): boolean;
  /**
   * Asks the brokers for the log ends of lanes that are not in the fetch (paused, stopped), answered by `logEnds`: their lag
   * and what retention removed stay known. May be called often; one request is in flight at most.
   */
  refreshEnds(assignments: readonly Assignment[]): void;
  /** Heartbeats every 250 ms until reconciled, for at most `durationMs`: a planned change is under way. */
  expectChange(durationMs: number): void;
  /** The member id in the group: "" until it is known, and another one after a new join (`membership` tells). */
  readonly memberId: string;
  /**
   * Asks for all partitions back (`revoking`), waits for their release or the drain limit, leaves the group, closes. With `isRestart` a
   * static member keeps its place in the group, for who opens a source under its `groupInstanceId` within the session. Default false.
   */
  close(isRestart?: boolean): Promise<void>;
  /** Closes at once without leaving the group in order (a leave is sent, not awaited). For fatal ends. */
  abort(): void;
}

export interface RecordSourceOptions {
  readonly bootstrapServers: readonly string[];
  /** Absent = plaintext without authentication. */
  readonly security?: SourceSecurity;
  readonly topic: string;
  readonly groupId: string;
  /** Makes the member a static one (KIP-345); of one member of the group at a time. */
  readonly groupInstanceId?: string;
  /** How long a revoked lane may drain, ms. */
  readonly drainLimitMs: number;
  /** Most bytes of one fetch response, and of one partition in it. */
  readonly fetchBytesMax: number;
  readonly fetchPartitionBytesMax: number;
  /** Most bytes that one compressed record batch may inflate to. */
  readonly inflatedBytesMax: number;
  /** Called with bytes when a buffer comes alive (positive) and when the last view of it is released (negative). */
  readonly countMemory: (bytes: number) => void;
  /** Called for each answered fetch: its time, the long poll included, and its bytes. */
  readonly observeFetch?: ObserveFetch;
}

export type ObserveFetch = (durationMs: number, bytes: number) => void;

/** What a driver can and can't do, where drivers differ. Everything else that this port says holds for all of them. */
export interface DriverCapabilities {
  /** Its name, a value of PENSTOCK_KAFKA_DRIVER. */
  readonly driver: string;
  /** A rebalance gives lanes time to finish their calls and commit (`revoking`). False: they are `lost` at once. */
  readonly drainsBeforeRevoke: boolean;
  /** A rebalance can leave partitions alone that stay where they are. False: all are asked back, and come again. */
  readonly rebalancesIncrementally: boolean;
  /** Speaks the consumer protocol of groups (KIP-848), not only the classic one. */
  readonly speaksConsumerProtocol: boolean;
  /** Members can keep their partitions over a restart (group.instance.id). */
  readonly keepsStaticMembers: boolean;
  /** Reads from a replica in the rack of the poller (KIP-392). */
  readonly readsNearestReplica: boolean;
  /** Members of one cluster share control connections. */
  readonly sharesConnections: boolean;
  /** The oldest version of Kafka that it speaks to. */
  readonly oldestKafka: string;
}

/** Opens record sources; one per process. */
export interface RecordSourceDriver {
  readonly capabilities: DriverCapabilities;
  open(options: RecordSourceOptions, events: RecordSourceEvents): RecordSource;
  /** Closes the shared connections. Every source must be closed before. */
  close(): Promise<void>;
}
