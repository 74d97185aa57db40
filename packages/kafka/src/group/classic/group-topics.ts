/**
 * Watches the topics that a member of a classic group must know: its own, for its id (a topic that was made again is another one, F14), and as the leader those of
 * the whole group, because nobody else assigns partitions that are added (F15).
 *
 * Cheap where nothing changes: what the cluster has cached is good enough for followers, and members of one process share it. A leader
 * asks anew, so that added partitions are noticed in half of the time that is promised for them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Clock, PenstockError } from "@penstock/core";
import type { Cluster, TopicMetadata } from "../../cluster/cluster.ts";
import { backoffMs } from "../../connection/backoff.ts";
import type { KnownTopic } from "./member/classic-step.ts";

const LOOK_INTERVAL_MS = 15_000;
const HURRIED_INTERVAL_MS = 500;
const RETRY_BASE_MS = 100;
const RETRY_LIMIT_MS = 1_000;
/** In one request. Members of other clients may read any number of topics. */
const TOPICS_IN_LOOK_MAX = 1_000;

export interface GroupTopicsOptions {
  readonly clock: Clock;
  readonly read: (topics: ReadonlyMap<string, KnownTopic | null>) => void;
  /** Why we may not see our own topic, or that we may (null). */
  readonly refused: (problem: PenstockError | null) => void;
}

type Answers = ReadonlyMap<string, TopicMetadata | PenstockError>;

interface Looked {
  readonly found: ReadonlyMap<string, KnownTopic | null>;
  /** There is nothing that another look could tell. */
  readonly isWhole: boolean;
}

export class GroupTopics {
  readonly #cluster: Cluster;
  readonly #topic: string;
  readonly #options: GroupTopicsOptions;
  #groupTopics: readonly string[] = [];
  #isHurried = false;
  /** As it was found last by a look that nobody else has the answer of. */
  #ours: KnownTopic | null = null;
  #timer: NodeJS.Timeout | null = null;
  #lookedAtMs = Number.NEGATIVE_INFINITY;
  #isLooking = false;
  #isStopped = false;

  constructor(cluster: Cluster, topic: string, options: GroupTopicsOptions) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#options = options;
  }

  start(): void {
    this.#arm();
  }

  /** `groupTopics`: of the group, when we lead it. `isHurried`: our own is waited for. */
  watch(groupTopics: readonly string[], isHurried: boolean): void {
    this.#groupTopics = groupTopics;
    if (isHurried === this.#isHurried) return;
    this.#isHurried = isHurried;
    this.#arm();
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer) clearTimeout(this.#timer);
  }

  /**
   * The topics, for an assignment; tried until the brokers tell, while `isWanted`. Null: it is missing, or we may not see it. Ours is left out when we may not see it:
   * the others don't wait for rights that we lack, and what was known of it goes on.
   */
  async read(
    topics: readonly string[],
    isWanted: () => boolean,
  ): Promise<ReadonlyMap<string, KnownTopic | null> | null> {
    for (let failures = 1; isWanted(); failures++) {
      const { found, isWhole } = await this.#lookAt(topics, true);
      if (!isWanted()) return null;
      if (isWhole) return found;
      await delay(backoffMs(failures, RETRY_BASE_MS, RETRY_LIMIT_MS));
    }
    return null;
  }

  #arm(): void {
    if (this.#isStopped || this.#isLooking) return;
    if (this.#timer) clearTimeout(this.#timer);
    const everyMs = this.#isHurried ? HURRIED_INTERVAL_MS : LOOK_INTERVAL_MS;
    const waitMs = this.#lookedAtMs + everyMs - this.#options.clock.nowMs();
    this.#timer = setTimeout(() => void this.#look(), Math.max(0, waitMs));
  }

  async #look(): Promise<void> {
    this.#isLooking = true;
    this.#lookedAtMs = this.#options.clock.nowMs();
    const isLeader = this.#groupTopics.length > 0;
    const topics = isLeader ? this.#groupTopics : [this.#topic];
    const { found } = await this.#lookAt(topics, isLeader);
    this.#isLooking = false;
    if (this.#isStopped) return;
    this.#options.read(found);
    this.#arm();
  }

  /** What is known; a topic that can't be looked at now is left out, and so is ours when we may not see it. */
  async #lookAt(topics: readonly string[], isFresh: boolean): Promise<Looked> {
    const found = new Map<string, KnownTopic | null>();
    const answers = isFresh ? await this.#askAnew(topics) : await this.#askForOurs();
    let decided = 0;
    for (const [topic, answer] of answers) {
      const isOurs = topic === this.#topic;
      const refusal = answer instanceof PenstockError ? answer : null;
      const isHidden = refusal?.code === "kafkaAuthorization";
      const isMissing = refusal?.code === "kafkaTopicMissing";
      if (!(answer instanceof PenstockError))
        found.set(topic, { topicId: answer.topicId, partitionCount: answer.partitions.length });
      else if (isMissing || (isHidden && !isOurs)) found.set(topic, null);
      if (isOurs && (isHidden || found.has(topic)))
        this.#options.refused(isHidden ? refusal : null);
      if (isHidden || found.has(topic)) decided++;
    }
    if (isFresh) this.#tellOthers(found.get(this.#topic) ?? null);
    return { found, isWhole: decided === topics.length };
  }

  /** What the fetcher and others have cached of our topic is older than this look. */
  #tellOthers(ours: KnownTopic | null): void {
    const before = this.#ours;
    this.#ours = ours;
    const isSame = ours?.topicId === before?.topicId;
    if (!isSame || ours?.partitionCount !== before?.partitionCount)
      this.#cluster.invalidate(this.#topic);
  }

  async #askForOurs(): Promise<Answers> {
    const answer = await this.#cluster.metadata(this.#topic).catch(refusalOf);
    return new Map([[this.#topic, answer]]);
  }

  async #askAnew(topics: readonly string[]): Promise<Answers> {
    const answers = new Map<string, TopicMetadata | PenstockError>();
    for (let at = 0; at < topics.length; at += TOPICS_IN_LOOK_MAX) {
      const asked = topics.slice(at, at + TOPICS_IN_LOOK_MAX);
      const some = await this.#cluster.lookAt(asked).catch(refusalOf);
      if (some instanceof PenstockError) break;
      for (const [topic, answer] of some) answers.set(topic, answer);
    }
    return answers;
  }
}

function refusalOf(error: unknown): PenstockError {
  if (error instanceof PenstockError) return error;
  throw error;
}
