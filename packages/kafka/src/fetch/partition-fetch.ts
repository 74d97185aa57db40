/**
 * What is known of one partition that is being fetched.
 *
 * `position` is the next offset wanted and `generation` counts its jumps. Every request remembers both; an answer is used only when
 * both are still the same, so that a long poll that was overtaken (a seek, a second fetch of the same partition, a removal) can
 * neither repeat records nor lose any.
 */

import { HeadDoubt } from "../decode/head-doubt.ts";

/** An assignment: compared by identity, so that a new one of the same partition is another. */
export interface FetchKey {
  /** UUID, lower-case hex with dashes. */
  readonly topicId: string;
  readonly partition: number;
}

export class PartitionFetch<K extends FetchKey = FetchKey> {
  readonly key: K;
  readonly topicId: string;
  readonly partition: number;
  readonly topicIdBytes: Buffer;
  /** Same for all assignments of one partition. */
  readonly id: string;
  position: bigint;
  generation = 0;
  isPaused = false;
  isRemoved = false;
  /** Waits for `set`: its position is out of range, or its records can't be decoded. */
  isHalted = false;
  /** Monotonic; nothing is asked for before. */
  retryAtMs = 0;
  failures = 0;
  /** Reads in a row that ended in damaged bytes. */
  damagedReads = 0;
  readonly doubt = new HeadDoubt();
  /** Node that is fetched from; -1 = not routed. */
  node = -1;
  leaderEpoch = -1;
  /** Follower that the leader sent us to, and until when. */
  replica: { readonly node: number; readonly untilMs: number } | null = null;
  /** A follower has failed it; until then its leader shall not send it to another. */
  leaderOnlyUntilMs = 0;
  /** The last that was told. */
  logStart = 0n;
  /** Last stable offset of the last answer; -1 = unknown. */
  logEnd = -1n;
  /** Answers in a row that prove that there is no record between `position` and `logEnd`. */
  emptyProofs = 0;
  /** Since when answers bring records of others but not of this one, although there should be some. */
  starvedSinceMs: number | null = null;

  constructor(key: K, position: bigint) {
    this.key = key;
    this.topicId = key.topicId;
    this.partition = key.partition;
    this.topicIdBytes = Buffer.from(key.topicId.replaceAll("-", ""), "hex");
    this.id = partitionId(key.topicId, key.partition);
    this.position = position;
  }

  /** Moves to `position`; answers that are on their way are void. */
  jump(position: bigint): void {
    this.position = position;
    this.generation++;
    this.emptyProofs = 0;
    this.starvedSinceMs = null;
  }

  /** Records up to `position` were taken. */
  advance(position: bigint): void {
    this.position = position;
    this.emptyProofs = 0;
    this.starvedSinceMs = null;
  }

  isWanted(nowMs: number): boolean {
    return !this.isPaused && !this.isHalted && !this.isRemoved && this.retryAtMs <= nowMs;
  }
}

export function partitionId(topicId: string, partition: number): string {
  return `${topicId}:${partition}`;
}
