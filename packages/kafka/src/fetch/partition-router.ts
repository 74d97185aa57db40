/**
 * Partitions without a broker: waits until each is due, asks who leads it, and hands it over.
 *
 * One look-up at a time. Its only timer runs while a partition waits after a failure.
 */
import { type Clock, PenstockError } from "@penstock/core";
import { type Cluster, mayBeSameTopic, type TopicMetadata } from "../cluster/cluster.ts";
import { toKafkaError } from "../cluster/kafka-error.ts";
import type { PartitionFetch } from "./partition-fetch.ts";

export interface RouterHost {
  routed(state: PartitionFetch, node: number): void;
  /** It comes back by `add`, due later. */
  failed(state: PartitionFetch, error: PenstockError): void;
  /** A partition that was waiting is due. */
  due(): void;
}

export class PartitionRouter {
  readonly #cluster: Cluster;
  readonly #topic: string;
  readonly #clock: Clock;
  readonly #host: RouterHost;
  readonly #waiting = new Set<PartitionFetch>();
  #isRouting = false;
  #timer: NodeJS.Timeout | null = null;
  #timerAtMs = 0;

  constructor(cluster: Cluster, topic: string, clock: Clock, host: RouterHost) {
    this.#cluster = cluster;
    this.#topic = topic;
    this.#clock = clock;
    this.#host = host;
  }

  add(state: PartitionFetch): void {
    this.#waiting.add(state);
    this.#schedule();
  }

  remove(state: PartitionFetch): void {
    this.#waiting.delete(state);
  }

  /** Starts a look-up for those that are due, unless one is under way. */
  route(): void {
    if (!this.#isRouting && this.#due().length > 0) void this.#lookUp();
  }

  close(): void {
    this.#waiting.clear();
    if (this.#timer) clearTimeout(this.#timer);
    this.#timer = null;
  }

  #due(): PartitionFetch[] {
    const nowMs = this.#clock.nowMs();
    return [...this.#waiting].filter(({ retryAtMs }) => retryAtMs <= nowMs);
  }

  async #lookUp(): Promise<void> {
    this.#isRouting = true;
    let metadata: TopicMetadata | null = null;
    let failure: PenstockError | null = null;
    try {
      metadata = await this.#cluster.metadata(this.#topic);
    } catch (error) {
      failure = toKafkaError(error, `topic "${this.#topic}"`);
    }
    this.#isRouting = false;
    for (const state of this.#due()) {
      this.#waiting.delete(state);
      const error = failure ?? this.#place(state, metadata);
      if (error) this.#host.failed(state, error);
    }
    this.#schedule();
  }

  #place(state: PartitionFetch, metadata: TopicMetadata | null): PenstockError | null {
    const subject = `topic "${this.#topic}", partition ${state.partition}`;
    const row = metadata?.partitions.find(({ partition }) => partition === state.partition);
    if (!row || !metadata || !mayBeSameTopic(metadata.topicId, state.topicId)) {
      this.#cluster.invalidate(this.#topic);
      return new PenstockError("kafkaTopicMissing", `The topic or partition is gone (${subject}).`);
    }
    if (row.leader < 0) {
      this.#cluster.invalidate(this.#topic);
      return new PenstockError("kafkaUnavailable", `No broker leads the partition (${subject}).`);
    }
    state.leaderEpoch = row.leaderEpoch;
    this.#host.routed(state, row.leader);
    return null;
  }

  /** Wakes the host when the first of those that wait is due. */
  #schedule(): void {
    // The look-up under way takes all that are due by its end.
    if (this.#isRouting) return;
    let atMs = Number.POSITIVE_INFINITY;
    for (const { retryAtMs } of this.#waiting) atMs = Math.min(atMs, retryAtMs);
    if (atMs === Number.POSITIVE_INFINITY) return;
    if (this.#timer !== null && this.#timerAtMs <= atMs) return;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timerAtMs = atMs;
    const run = () => {
      this.#timer = null;
      this.#host.due();
      this.#schedule();
    };
    this.#timer = setTimeout(run, Math.max(1, Math.ceil(atMs - this.#clock.nowMs())));
  }
}
