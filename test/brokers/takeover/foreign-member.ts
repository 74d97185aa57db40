/** Consumers of other clients, as teams have them: they read, commit by themselves and know nothing of Penstock. */
import { type KafkaVersion, startJavaConsumer } from "@penstock/local";
import { Kafka, logLevel } from "kafkajs";

export interface ForeignMember {
  /** Offsets that it was given, by partition. */
  readonly read: ReadonlyMap<number, readonly number[]>;
  /** Commits and leaves. */
  leave(): Promise<void>;
}

export interface ForeignClient {
  readonly name: string;
  /** The group's protocol, as it wants it. */
  readonly protocol: "consumer" | "classic";
  /** Shares a classic group only with members that give up partitions one by one. */
  readonly isCooperative: boolean;
  /** What it may be given again after a hand-over: kafkajs commits now and then, Java before it gives up a partition. */
  readonly repeatsMax: number;
  join(at: {
    bootstrapServers: string;
    topic: string;
    groupId: string;
    version: KafkaVersion;
  }): Promise<ForeignMember>;
}

/** kafkajs knows eager round robin only. */
export const KAFKAJS: ForeignClient = {
  name: "kafkajs",
  protocol: "classic",
  isCooperative: false,
  repeatsMax: 100,
  async join({ bootstrapServers, topic, groupId }) {
    const read = new Map<number, number[]>();
    const kafka = new Kafka({
      clientId: "foreign",
      brokers: bootstrapServers.split(","),
      logLevel: logLevel.NOTHING,
    });
    const consumer = kafka.consumer({
      groupId,
      sessionTimeout: 8_000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 200,
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommitInterval: 200,
      eachMessage: async ({ partition, message }) => note(read, partition, Number(message.offset)),
    });
    return { read, leave: () => consumer.disconnect() };
  },
};

export const JAVA_CONSUMER: ForeignClient = java("Java, consumer protocol", "consumer", {
  "group.protocol": "consumer",
});
export const JAVA_COOPERATIVE: ForeignClient = java("Java, cooperative-sticky", "classic", {
  "partition.assignment.strategy": "org.apache.kafka.clients.consumer.CooperativeStickyAssignor",
});
export const JAVA_RANGE: ForeignClient = java("Java, eager range", "classic", {
  "partition.assignment.strategy": "org.apache.kafka.clients.consumer.RangeAssignor",
});

function java(
  name: string,
  protocol: ForeignClient["protocol"],
  own: Readonly<Record<string, string>>,
): ForeignClient {
  const sessions =
    protocol === "classic" ? { "session.timeout.ms": 8_000, "heartbeat.interval.ms": 500 } : {};
  return {
    name,
    protocol,
    isCooperative: own["partition.assignment.strategy"]?.includes("Cooperative") ?? false,
    repeatsMax: 0,
    async join({ bootstrapServers, topic, groupId, version }) {
      const read = new Map<number, number[]>();
      const consumer = await startJavaConsumer({
        version,
        bootstrapServers,
        topic,
        groupId,
        properties: { "auto.commit.interval.ms": 500, ...sessions, ...own },
        print: { "print.partition": true, "print.offset": true, "print.value": false },
        onLine(line) {
          const [, partition, offset] = /Partition:(\d+)\tOffset:(\d+)/.exec(line) ?? [];
          if (offset !== undefined) note(read, Number(partition), Number(offset));
        },
      });
      return { read, leave: () => consumer.stop() };
    },
  };
}

function note(read: Map<number, number[]>, partition: number, offset: number): void {
  const of = read.get(partition) ?? [];
  read.set(partition, of);
  of.push(offset);
}
