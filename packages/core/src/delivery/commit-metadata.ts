/**
 * The metadata string of our commits: short, versioned, fenced by Kafka together with the offset.
 *
 *     penstock/1 topic=<topic id>
 *
 * It names the topic by id, so that offsets of a deleted topic are never applied to a new one of the same name (F14). A
 * foreign, empty or newer string says nothing and is ignored.
 */

/** The id of a topic whose brokers have no ids for topics (before Kafka 2.8, or with an older inter.broker.protocol.version). */
export const NO_TOPIC_ID = "00000000-0000-0000-0000-000000000000";

/** Whether two ids of topics with the same name can be of the same topic: an id that isn't known says nothing. */
export function mayBeSameTopic(a: string, b: string): boolean {
  return a === b || a === NO_TOPIC_ID || b === NO_TOPIC_ID;
}

const FORM = /^penstock\/1 topic=([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

/** `topicId` in lower-case hex with dashes. */
export function formatCommitMetadata(topicId: string): string {
  return `penstock/1 topic=${topicId}`;
}

/** The topic id that a commit was made for, null when the string is not ours. */
export function topicIdOfCommit(metadata: string): string | null {
  return FORM.exec(metadata)?.[1] ?? null;
}
