import { CompressionTypes, Kafka, logLevel, type Message, type Producer } from "kafkajs";

/**
 * Produces with kafkajs (acks=all, idempotent where the brokers know of it) and remembers which offsets the brokers acknowledged: the truth about what was sent.
 */
export class TopicWriter {
  readonly #producer: Producer;
  readonly #sent = new Map<string, Map<string, number[]>>();

  private constructor(producer: Producer) {
    this.#producer = producer;
  }

  static async connect(bootstrapServers: string): Promise<TopicWriter> {
    const kafka = new Kafka({
      clientId: "penstock-test-writer",
      brokers: bootstrapServers.split(","),
      logLevel: logLevel.NOTHING,
      retry: { retries: 20, initialRetryTime: 100, maxRetryTime: 1000 },
    });
    const connect = async (idempotent: boolean): Promise<TopicWriter> => {
      const producer = kafka.producer({ idempotent, allowAutoTopicCreation: false });
      try {
        await producer.connect();
      } catch (error) {
        await producer.disconnect();
        throw error;
      }
      return new TopicWriter(producer);
    };
    return connect(true).catch((error: Error) => {
      // Kafka before 0.11.
      if (error.name !== "KafkaJSServerDoesNotSupportApiKey") throw error;
      return connect(false);
    });
  }

  /** Sends messages of one topic; `partition` in a message pins it. */
  async send(topic: string, messages: Message[], compression?: CompressionTypes): Promise<void> {
    const results = await this.#producer.send({
      topic,
      messages,
      acks: -1,
      compression: compression ?? CompressionTypes.None,
    });
    const counts = new Map<number, number>();
    for (const { partition } of messages) {
      if (partition !== undefined) counts.set(partition, (counts.get(partition) ?? 0) + 1);
    }
    for (const { partition, offset, baseOffset = offset } of results) {
      const count = counts.get(partition) ?? 0;
      const offsets = this.#offsetsOf(topic, partition);
      for (let i = 0; i < count; i++) offsets.push(Number(baseOffset) + i);
    }
  }

  /** Sends `count` records with keys, spread round robin over the partitions. */
  async sendKeyed(
    topic: string,
    count: number,
    partitions: number,
    valueBytes = 100,
  ): Promise<void> {
    // Kafka refuses a batch of more than a megabyte.
    const chunk = Math.max(1, Math.min(2000, Math.floor(800_000 / valueBytes)));
    for (let from = 0; from < count; from += chunk) {
      const messages: Message[] = [];
      for (let i = from; i < Math.min(count, from + chunk); i++) {
        messages.push({
          partition: i % partitions,
          key: `key-${i % 97}`,
          value: String(i).padEnd(valueBytes, "."),
        });
      }
      await this.send(topic, messages);
    }
  }

  /** Acknowledged offsets by `topic-partition`, ascending. */
  sent(topic: string): Map<string, number[]> {
    return this.#sent.get(topic) ?? new Map();
  }

  async close(): Promise<void> {
    await this.#producer.disconnect();
  }

  #offsetsOf(topic: string, partition: number): number[] {
    let byPartition = this.#sent.get(topic);
    if (byPartition === undefined) {
      byPartition = new Map();
      this.#sent.set(topic, byPartition);
    }
    const key = `${topic}-${partition}`;
    let offsets = byPartition.get(key);
    if (offsets === undefined) {
      offsets = [];
      byPartition.set(key, offsets);
    }
    return offsets;
  }
}
