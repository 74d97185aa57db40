/** What a member knows of its topic from the answers of brokers, of which some are behind. */
import { mayBeSameTopic, NO_TOPIC_ID } from "../../cluster/cluster.ts";

/** A broker that has just started may know of no topic yet. */
const MISSING_FOR_MS = 5_000;
const MISSES_NEEDED = 3;

export class TopicSight {
  #topicId = NO_TOPIC_ID;
  /** Answers in a row without the topic, and when the first of them came. */
  #missed = 0;
  #missedSinceMs = 0;

  /** Once known it is kept: while brokers are rolled, some answer without it. */
  get topicId(): string {
    return this.#topicId;
  }

  /** No broker knows of the topic, for long enough. */
  isGone(nowMs: number): boolean {
    return this.#missed >= MISSES_NEEDED && nowMs - this.#missedSinceMs >= MISSING_FOR_MS;
  }

  /** The topic was there. Whether it can be the one that was known. */
  seen(topicId: string): boolean {
    this.#missed = 0;
    const isSame = mayBeSameTopic(topicId, this.#topicId);
    if (topicId !== NO_TOPIC_ID) this.#topicId = topicId;
    return isSame;
  }

  /** A broker didn't know of the topic. What has its name after it was gone may be another. */
  missed(nowMs: number): void {
    if (this.#missed++ === 0) this.#missedSinceMs = nowMs;
    if (this.isGone(nowMs)) this.#topicId = NO_TOPIC_ID;
  }
}
