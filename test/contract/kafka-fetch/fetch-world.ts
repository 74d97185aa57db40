/** What the tests of this folder share: a cluster, topics of their own, producers of every kind, and an orderly end. */
import { randomUUID } from "node:crypto";
import { createAdmin, type KafkaAdmin } from "@penstock/kafka";
import { waitUntil } from "@penstock/testkit";
import { ConfigResourceTypes, Admin as PlatformaticAdmin, Producer } from "@platformatic/kafka";
import { Kafka, type Producer as KafkajsProducer, logLevel } from "kafkajs";
import { KafkaCluster } from "../../../packages/kafka/src/cluster/kafka-cluster.ts";
import type { FetcherOptions } from "../../../packages/kafka/src/fetch/fetcher-options.ts";
import type { FetchKey } from "../../../packages/kafka/src/fetch/partition-fetch.ts";
import { FetchProbe } from "../../../packages/kafka/src/fetch/testing/fetch-probe.ts";

const CLOCK = { nowMs: () => performance.now(), wallMs: () => Date.now() };
const silent = () => {};
const LOG = { debug: silent, info: silent, warn: silent, error: silent };

export class FetchWorld {
  readonly bootstrapServers: string;
  readonly cluster: KafkaCluster;
  readonly admin: KafkaAdmin;
  readonly kafkajs: Kafka;
  #plain: Promise<KafkajsProducer> | undefined;
  #probes: FetchProbe[] = [];
  #ends: (() => Promise<unknown>)[] = [];

  constructor(bootstrapServers: string) {
    this.bootstrapServers = bootstrapServers;
    this.cluster = new KafkaCluster({
      bootstrapServers: [bootstrapServers],
      clientId: "penstock-test",
      clock: CLOCK,
      log: LOG,
    });
    this.admin = createAdmin({ bootstrapServers: [bootstrapServers] });
    this.kafkajs = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  }

  async topic(
    partitions: number,
    configs: Record<string, string> = {},
  ): Promise<{ topic: string; keys: FetchKey[] }> {
    const topic = `fetch-${randomUUID().slice(0, 8)}`;
    const admin = new PlatformaticAdmin({
      clientId: "test",
      bootstrapBrokers: [this.bootstrapServers],
    });
    await admin.createTopics({
      topics: [topic],
      partitions,
      replicas: 1,
      configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
    });
    await admin.close();
    const { topicId } = await waitUntil("the topic is known", () =>
      this.admin.describeTopic(topic),
    );
    const keys = Array.from({ length: partitions }, (_, partition) => ({ topicId, partition }));
    return { topic, keys };
  }

  async alterTopic(topic: string, configs: Record<string, string>): Promise<void> {
    const admin = new PlatformaticAdmin({
      clientId: "test",
      bootstrapBrokers: [this.bootstrapServers],
    });
    await admin.alterConfigs({
      resources: [
        {
          resourceType: ConfigResourceTypes.TOPIC,
          resourceName: topic,
          configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
        },
      ],
      validateOnly: false,
    });
    await admin.close();
  }

  probe(topic: string, options: Partial<FetcherOptions> = {}): FetchProbe {
    const probe = new FetchProbe(this.cluster, topic, options);
    this.#probes.push(probe);
    return probe;
  }

  async producer(transactionalId?: string): Promise<KafkajsProducer> {
    const producer = this.kafkajs.producer({
      allowAutoTopicCreation: false,
      ...(transactionalId === undefined
        ? {}
        : { transactionalId, maxInFlightRequests: 1, idempotent: true }),
    });
    await producer.connect();
    this.#ends.push(() => producer.disconnect());
    return producer;
  }

  /** Values to one partition; each call is a batch. */
  async send(topic: string, partition: number, values: (string | Buffer)[]): Promise<void> {
    this.#plain ??= this.producer();
    const messages = values.map((value) => ({ partition, value }));
    await (await this.#plain).send({ topic, messages });
  }

  platformaticProducer(compression: "none" | "gzip" | "snappy" | "lz4" | "zstd") {
    const producer = new Producer({
      clientId: "test",
      bootstrapBrokers: [this.bootstrapServers],
      compression,
    });
    this.#ends.push(() => producer.close());
    return producer;
  }

  async endProbes(): Promise<void> {
    const probes = this.#probes;
    this.#probes = [];
    await Promise.all(probes.map((probe) => probe.close()));
  }

  async close(): Promise<void> {
    await this.endProbes();
    for (const end of this.#ends) await end();
    this.cluster.close();
    await this.admin.close();
  }
}
