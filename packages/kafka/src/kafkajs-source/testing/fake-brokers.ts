/** Brokers whose answers a test gives, one by one, to requests that it has seen. */
import { PenstockError } from "@penstock/core";
import type { KafkajsBrokers, SendOptions, TopicView } from "../client/kafkajs-client.ts";
import { problemOf } from "../client/kafkajs-error.ts";
import type { KafkajsBroker } from "../client/kafkajs-internals.ts";

export interface SeenRequest {
  readonly name: string;
  readonly args: Record<string, unknown>;
  answer(value: unknown): void;
  refuse(error: Error): void;
}

export class FakeBrokers implements KafkajsBrokers {
  readonly topic = "orders";
  readonly leaders = new Map<number, number>([
    [0, 1],
    [1, 1],
  ]);
  topicId = "0f3d2c1b-0000-4000-8000-00000000000a";
  doubts = 0;
  /** Version of Fetch that the answers are in. */
  fetchVersion = 11;
  #seen: SeenRequest[] = [];
  #waiters: ((request: SeenRequest) => void)[] = [];

  isTopicMissing = false;
  /** Topics of other members that were asked for. */
  readonly askedTopics: string[] = [];
  readonly goneTopics = new Set<string>();

  view(): Promise<TopicView> {
    if (this.isTopicMissing)
      return Promise.reject(new PenstockError("kafkaTopicMissing", "There is no such topic."));
    return Promise.resolve({ topicId: this.topicId, leaders: new Map(this.leaders) });
  }

  doubt(): void {
    this.doubts++;
  }

  broker(nodeId: number): Promise<KafkajsBroker> {
    return Promise.resolve({ nodeId } as KafkajsBroker);
  }

  coordinator(): Promise<KafkajsBroker> {
    return this.broker(1);
  }

  partitionCounts(topics: readonly string[]): Promise<Map<string, number>> {
    this.askedTopics.push(...topics);
    const there = topics.filter((topic) => !this.goneTopics.has(topic));
    return Promise.resolve(new Map(there.map((topic) => [topic, 1])));
  }

  problemOf(error: unknown, subject: string): PenstockError {
    return problemOf(error, subject, () => undefined);
  }

  send<T>(_to: KafkajsBroker, name: string, args: object, options: SendOptions<T> = {}) {
    const { decode } = options;
    return new Promise<T>((resolve, reject) => {
      const request: SeenRequest = {
        name,
        args: args as Record<string, unknown>,
        answer: (value) =>
          resolve(decode ? decode(value as Buffer, this.fetchVersion) : (value as T)),
        refuse: reject,
      };
      const waiter = this.#waiters.shift();
      if (waiter) waiter(request);
      else this.#seen.push(request);
    });
  }

  hangUp(): void {}

  destroy(): void {}

  /** The next request that nobody has looked at. */
  next(): Promise<SeenRequest> {
    const seen = this.#seen.shift();
    if (seen) return Promise.resolve(seen);
    return new Promise((resolve) => this.#waiters.push(resolve));
  }
}
