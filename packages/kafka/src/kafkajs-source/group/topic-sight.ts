/** What a member knows of its topic from the answers of brokers, of which some are behind. */
import { mayBeSameTopic, NO_TOPIC_ID } from "../../cluster/cluster.ts";

export class TopicSight {
  #topicId = NO_TOPIC_ID;

  /** Once known it is kept: while brokers are rolled, some answer without it. */
  get topicId(): string {
    return this.#topicId;
  }

  /** The topic was there. Whether it can be the one that was known. */
  seen(topicId: string): boolean {
    const isSame = mayBeSameTopic(topicId, this.#topicId);
    if (topicId !== NO_TOPIC_ID) this.#topicId = topicId;
    return isSame;
  }
}
