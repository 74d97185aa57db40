/**
 * What the brokers have said of topics, and what of it counts.
 *
 * A broker that has just started and was told nothing yet (before KRaft) answers that a topic which it has doesn't exist. So of a topic that was seen "missing"
 * counts only when every look says so for some seconds; until then what was known of it stays. The same brokers have ids for topics or
 * none, in the course of an upgrade: an id that was once known is kept.
 */
import { mayBeSameTopic, NO_TOPIC_ID } from "../../../cluster/cluster.ts";
import type { KnownTopic } from "./classic-step.ts";

const MISSING_COUNTS_AFTER_MS = 10_000;

interface Sighting {
  readonly known: KnownTopic;
  /** The first look in an unbroken row that didn't find it. */
  readonly missingSinceMs: number | null;
}

export class TopicSightings {
  readonly #seen = new Map<string, Sighting>();

  /** It was there, and the last look didn't find it. */
  isInDoubt(topic: string): boolean {
    return (this.#seen.get(topic)?.missingSinceMs ?? null) !== null;
  }

  /** What counts of a look (null: there is none); what is in doubt is as it was. */
  look(
    nowMs: number,
    looked: ReadonlyMap<string, KnownTopic | null>,
  ): Map<string, KnownTopic | null> {
    const counts = new Map<string, KnownTopic | null>();
    for (const [topic, found] of looked)
      counts.set(topic, found ? this.#found(topic, found) : this.#missing(nowMs, topic));
    return counts;
  }

  /** What counts of these topics now; absent: there is none, or none was ever seen. */
  partitionCounts(topics: readonly string[]): Map<string, number> {
    const counts = new Map<string, number>();
    for (const topic of topics) {
      const seen = this.#seen.get(topic);
      if (seen) counts.set(topic, seen.known.partitionCount);
    }
    return counts;
  }

  /** Forgets all others. */
  keep(topics: ReadonlySet<string>): void {
    for (const topic of this.#seen.keys()) if (!topics.has(topic)) this.#seen.delete(topic);
  }

  #found(topic: string, found: KnownTopic): KnownTopic {
    const before = this.#seen.get(topic)?.known.topicId ?? NO_TOPIC_ID;
    const isSame = mayBeSameTopic(before, found.topicId);
    const topicId = isSame && before !== NO_TOPIC_ID ? before : found.topicId;
    const known = { ...found, topicId };
    this.#seen.set(topic, { known, missingSinceMs: null });
    return known;
  }

  #missing(nowMs: number, topic: string): KnownTopic | null {
    const seen = this.#seen.get(topic);
    if (!seen) return null;
    const missingSinceMs = seen.missingSinceMs ?? nowMs;
    if (nowMs - missingSinceMs >= MISSING_COUNTS_AFTER_MS) {
      this.#seen.delete(topic);
      return null;
    }
    this.#seen.set(topic, { ...seen, missingSinceMs });
    return seen.known;
  }
}
