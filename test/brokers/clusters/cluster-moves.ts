/** What an operator moves between brokers: leaders of partitions, and the coordinator, which is the leader of the one partition of offsets. */
import { randomUUID } from "node:crypto";
import { waitUntil } from "@penstock/testkit";
import type { Operator } from "../../record-source/operator.ts";

const MOVED_MS_MAX = 60_000;

export class ClusterMoves {
  readonly offsetsTopic = "__consumer_offsets";
  readonly #operator: Operator;

  constructor(operator: Operator) {
    this.#operator = operator;
  }

  /** With every partition on these brokers, led by the first. */
  async topic(partitions: number, replicas: readonly number[]): Promise<string> {
    const topic = `moved-${randomUUID().slice(0, 8)}`;
    const replicaAssignment = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      replicas: [...replicas],
    }));
    await waitUntil("the topic is made", () =>
      this.#operator.admin.createTopics({
        topics: [{ topic, replicaAssignment }],
        waitForLeaders: true,
      }),
    );
    return topic;
  }

  /** Brokers that can be killed: not the controller, and first the one that is not the coordinator. */
  async others(): Promise<[number, number]> {
    const coordinator = await this.coordinator();
    return coordinator === 2 ? [3, 2] : [2, 3];
  }

  async coordinator(): Promise<number> {
    const [leader = -1] = await this.leaders(this.offsetsTopic);
    return leader;
  }

  async leaders(topic: string): Promise<number[]> {
    return (await this.#partitions(topic)).map(({ leader }) => leader);
  }

  async untilLed(topic: string, by: readonly number[]): Promise<void> {
    await waitUntil(
      `${topic} is led by ${by.join(" or ")}`,
      async () => (await this.leaders(topic)).every((leader) => by.includes(leader)),
      MOVED_MS_MAX,
    );
  }

  async untilInSync(topic: string, count: number): Promise<void> {
    await waitUntil(
      `${topic} has ${count} replicas in sync`,
      async () => (await this.#partitions(topic)).every(({ isr }) => isr.length >= count),
      MOVED_MS_MAX,
    );
  }

  /** Moves replicas; who leads and is not among them gives it up. */
  async reassign(topic: string, partitions: number, replicas: readonly number[]): Promise<void> {
    const partitionAssignment = Array.from({ length: partitions }, (_, partition) => ({
      partition,
      replicas: [...replicas],
    }));
    await this.#operator.admin.alterPartitionReassignments({
      topics: [{ topic, partitionAssignment }],
    });
    await waitUntil(
      `${topic} is on ${replicas.join(", ")}`,
      async () =>
        (await this.#partitions(topic)).every(
          (one) =>
            one.replicas.length === replicas.length &&
            one.isr.length === replicas.length &&
            replicas.includes(one.leader),
        ),
      MOVED_MS_MAX,
    );
  }

  async #partitions(topic: string) {
    const { topics } = await this.#operator.admin.fetchTopicMetadata({ topics: [topic] });
    return topics[0]?.partitions ?? [];
  }
}
