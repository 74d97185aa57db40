/**
 * What the tests of record sources need from the other side of the brokers: topics, records, other clients' groups. All of it by kafkajs,
 * which speaks to every version of Kafka and is no part of what is tested; compression by @platformatic/kafka.
 */
import { randomUUID } from "node:crypto";
import { createProducer } from "@penstock/kafka";
import { waitUntil } from "@penstock/testkit";
import { Admin as PlatformaticAdmin, Producer as PlatformaticProducer } from "@platformatic/kafka";
import { type Admin, Kafka, logLevel, type Producer } from "kafkajs";

export type Codec = "none" | "gzip" | "snappy" | "lz4" | "zstd";

export interface TopicAndGroup {
  readonly topic: string;
  readonly groupId: string;
}

export class Operator {
  readonly kafkajs: Kafka;
  readonly admin: Admin;
  readonly #bootstrapServers: string[];
  readonly #plain: Producer;
  #ends: (() => Promise<unknown>)[] = [];

  private constructor(bootstrapServers: string[]) {
    this.#bootstrapServers = bootstrapServers;
    this.kafkajs = new Kafka({
      clientId: "operator",
      brokers: bootstrapServers,
      logLevel: logLevel.NOTHING,
      retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 1_000 },
    });
    this.admin = this.kafkajs.admin();
    this.#plain = this.kafkajs.producer({ allowAutoTopicCreation: false });
  }

  /** `bootstrapServers`: one or several, with commas. */
  static async connect(bootstrapServers: string): Promise<Operator> {
    const servers = bootstrapServers.split(",");
    // Stills the timers of kafkajs in this process.
    await (await createProducer({ bootstrapServers: servers })).close();
    const operator = new Operator(servers);
    await Promise.all([operator.admin.connect(), operator.#plain.connect()]);
    return operator;
  }

  async topic(
    partitions: number,
    configs: Readonly<Record<string, string>> = {},
    replicas = 1,
  ): Promise<TopicAndGroup> {
    const topic = `source-${randomUUID().slice(0, 8)}`;
    await this.create(topic, partitions, configs, replicas);
    return { topic, groupId: `of-${topic}` };
  }

  /** Again and again: a deletion may not be over, a broker may be about to register itself anew. False: there is one, maybe ours. */
  async create(
    topic: string,
    partitions: number,
    configs: Readonly<Record<string, string>> = {},
    replicas = 1,
  ): Promise<void> {
    const configEntries = Object.entries(configs).map(([name, value]) => ({ name, value }));
    const wanted = { topic, numPartitions: partitions, replicationFactor: replicas, configEntries };
    await waitUntil(
      "the topic is made",
      async () =>
        (await this.admin.createTopics({ topics: [wanted], waitForLeaders: true })) ||
        (await this.admin.listTopics()).includes(topic),
    );
  }

  async delete(topic: string): Promise<void> {
    await this.admin.deleteTopics({ topics: [topic] });
    await waitUntil("it is gone", async () => !(await this.admin.listTopics()).includes(topic));
  }

  async addPartitions(topic: string, count: number): Promise<void> {
    await this.admin.createPartitions({ topicPartitions: [{ topic, count }] });
  }

  /** One batch to one partition. */
  async send(topic: string, partition: number, values: readonly string[]): Promise<void> {
    const messages = values.map((value) => ({ partition, value }));
    await this.#plain.send({ topic, acks: -1, messages });
  }

  /** `count` values, numbered on from `from`. */
  async fill(topic: string, partition: number, count: number, from = 0): Promise<void> {
    const values = Array.from({ length: count }, (_, index) => `value ${from + index}`);
    await this.send(topic, partition, values);
  }

  async put(topic: string, key: string, value: string | null): Promise<void> {
    await this.#plain.send({ topic, acks: -1, messages: [{ partition: 0, key, value }] });
  }

  async sendCompressed(topic: string, codec: Codec, values: readonly string[]): Promise<void> {
    const producer = new PlatformaticProducer({
      clientId: "operator",
      bootstrapBrokers: this.#bootstrapServers,
      compression: codec,
    });
    try {
      const messages = values.map((value) => ({
        topic,
        partition: 0,
        key: Buffer.from("key"),
        value: Buffer.from(value),
      }));
      await producer.send({ messages });
    } finally {
      await producer.close();
    }
  }

  async transactions(transactionalId: string): Promise<Producer> {
    const producer = this.kafkajs.producer({
      allowAutoTopicCreation: false,
      transactionalId,
      maxInFlightRequests: 1,
      idempotent: true,
    });
    await producer.connect();
    this.#ends.push(() => producer.disconnect());
    return producer;
  }

  /** Committed offset of the group, undefined when it has none. */
  async committed(groupId: string, topic: string, partition: number): Promise<bigint | undefined> {
    const [row] = await this.admin.fetchOffsets({ groupId, topics: [topic] });
    const offset = row?.partitions.find((one) => one.partition === partition)?.offset ?? "-1";
    return offset === "-1" ? undefined : BigInt(offset);
  }

  /** As an operator's tool does; the group must have no members. */
  async setOffset(groupId: string, topic: string, offset: number): Promise<void> {
    const admin = new PlatformaticAdmin({
      clientId: "operator",
      bootstrapBrokers: this.#bootstrapServers,
      retries: 0,
    });
    try {
      const partitionOffsets = [{ partition: 0, offset: BigInt(offset) }];
      await admin.alterConsumerGroupOffsets({
        groupId,
        topics: [{ name: topic, partitionOffsets }],
      });
    } catch {
      // It doesn't speak to brokers before 0.11. kafkajs does, and takes five seconds.
      const partitions = [{ partition: 0, offset: String(offset) }];
      await this.admin.setOffsets({ groupId, topic, partitions });
    } finally {
      await admin.close();
    }
  }

  async close(): Promise<void> {
    for (const end of this.#ends) await end();
    await Promise.all([this.#plain.disconnect(), this.admin.disconnect()]);
  }
}
