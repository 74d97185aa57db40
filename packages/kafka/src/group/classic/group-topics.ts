/**
 * Watches the topics that a member of a classic group must know: its own, for its id (a topic that was made again is another one, F14), and as the leader those of
 * the whole group, because nobody else assigns partitions that are added (F15).
 *
 * Cheap where nothing changes: what the cluster has cached is good enough for followers, and members of one process share it. A leader
 * asks anew, so that added partitions are noticed in half of the time that is promised for them.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Clock, PenstockError } from "@penstock/core";
import type { Cluster } from "../../cluster/cluster.ts";
import { backoffMs } from "../../connection/backoff.ts";
import type { KnownTopic } from "./member/classic-step.ts";

const LOOK_INTERVAL_MS = 15_000;
const HURRIED_INTERVAL_MS = 500;
const RETRY_BASE_MS = 100;
const RETRY_LIMIT_MS = 1_000;
const LOOKS_AT_ONCE_MAX = 16;

export interface GroupTopicsOptions {
  readonly clock: Clock;
  readonly read: (topics: ReadonlyMap<string, KnownTopic | null>) => void;
}

export class GroupTopics {
  readonly #cluster: Cluster;
  readonly #topic: string;
  readonly #options: GroupTopicsOptions;
  #groupTopics: readonly string[] = [];
  #isHurried = false;
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
   * The topics, for an assignment; tried until the brokers tell, while `isWanted`. Null: it is missing, or we may not see it.
   */
  async read(
    topics: readonly string[],
    isWanted: () => boolean,
  ): Promise<ReadonlyMap<string, KnownTopic | null> | null> {
    for (let failures = 1; isWanted(); failures++) {
      const found = await this.#lookAt(topics, true);
      if (!isWanted()) return null;
      if (found.size === topics.length) return found;
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
    const found = await this.#lookAt(topics, isLeader);
    this.#isLooking = false;
    if (this.#isStopped) return;
    this.#options.read(found);
    this.#arm();
  }

  /** What is known; a topic that can't be looked at now is left out. */
  async #lookAt(
    topics: readonly string[],
    isFresh: boolean,
  ): Promise<Map<string, KnownTopic | null>> {
    const found = new Map<string, KnownTopic | null>();
    for (let at = 0; at < topics.length; at += LOOKS_AT_ONCE_MAX)
      await Promise.all(
        topics.slice(at, at + LOOKS_AT_ONCE_MAX).map(async (topic) => {
          const known = await this.#lookAtOne(topic, isFresh);
          if (known !== undefined) found.set(topic, known);
        }),
      );
    return found;
  }

  async #lookAtOne(topic: string, isFresh: boolean): Promise<KnownTopic | null | undefined> {
    if (isFresh) this.#cluster.invalidate(topic);
    try {
      const { topicId, partitions } = await this.#cluster.metadata(topic);
      return { topicId, partitionCount: partitions.length };
    } catch (error) {
      if (!(error instanceof PenstockError)) throw error;
      const isForeign = topic !== this.#topic;
      const isHidden = isForeign && error.code === "kafkaAuthorization";
      return error.code === "kafkaTopicMissing" || isHidden ? null : undefined;
    }
  }
}
