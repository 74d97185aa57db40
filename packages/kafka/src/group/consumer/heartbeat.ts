/** What a heartbeat says and what comes back, free of the wire. */

/** Partitions by topic id (UUID, lower-case hex with dashes). */
export interface TopicPartitions {
  readonly topicId: string;
  readonly partitions: readonly number[];
}

export interface Heartbeat {
  readonly memberId: string;
  /** Of a static member; in full heartbeats and leaves. */
  readonly groupInstanceId: string | null;
  /** 0 joins, -1 leaves, -2 leaves as a static member that comes back. */
  readonly memberEpoch: number;
  /** -1, null and null in a minimal heartbeat: nothing changed. */
  readonly rebalanceTimeoutMs: number;
  readonly subscribedTopics: readonly string[] | null;
  readonly owned: readonly TopicPartitions[] | null;
}

export interface HeartbeatAnswer {
  readonly memberEpoch: number;
  readonly heartbeatIntervalMs: number;
  /** The whole list of what this member should own; null when nothing changed since the broker last said so. */
  readonly assignment: readonly TopicPartitions[] | null;
}

export const LEAVE_EPOCH = -1;
export const RESTART_EPOCH = -2;
export const JOIN_EPOCH = 0;
