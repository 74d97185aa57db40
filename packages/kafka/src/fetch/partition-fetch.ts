import { FetchProgress } from "./fetch-progress.ts";

/** An assignment: compared by identity, so that a new one of the same partition is another. */
export interface FetchKey {
  /** UUID, lower-case hex with dashes. */
  readonly topicId: string;
  readonly partition: number;
}

/** What is known of one partition that is being fetched. */
export class PartitionFetch<K extends FetchKey = FetchKey> extends FetchProgress {
  readonly key: K;
  readonly topicId: string;
  readonly partition: number;
  readonly topicIdBytes: Buffer;
  /** Same for all assignments of one partition. */
  readonly id: string;
  /** Node that is fetched from; -1 = not routed. */
  node = -1;
  leaderEpoch = -1;
  /** Follower that the leader sent us to, and until when. */
  replica: { readonly node: number; readonly untilMs: number } | null = null;
  /** A follower has failed it; until then its leader shall not send it to another. */
  leaderOnlyUntilMs = 0;
  /** The last that was told. */
  logStart = 0n;

  constructor(key: K, position: bigint) {
    super(position);
    this.key = key;
    this.topicId = key.topicId;
    this.partition = key.partition;
    this.topicIdBytes = Buffer.from(key.topicId.replaceAll("-", ""), "hex");
    this.id = partitionId(key.topicId, key.partition);
  }
}

export function partitionId(topicId: string, partition: number): string {
  return `${topicId}:${partition}`;
}
