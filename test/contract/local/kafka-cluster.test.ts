import {
  isAlive,
  type LocalKafkaCluster,
  startJavaConsumer,
  startKafkaCluster,
} from "@penstock/local";
import { waitUntil } from "@penstock/testkit";
import { type Admin, Kafka, logLevel, type Producer } from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const TOPIC = "on-three-brokers";
const LIMIT_MS = 60_000;
let cluster: LocalKafkaCluster;
let admin: Admin;
let producer: Producer;

beforeAll(async () => {
  cluster = await startKafkaCluster({
    racks: ["a", "b", "c"],
    advertised: ({ port }) => `localhost:${port}`,
  });
  const client = new Kafka({
    brokers: cluster.bootstrapServers.split(","),
    logLevel: logLevel.NOTHING,
    retry: { retries: 50, initialRetryTime: 100, maxRetryTime: 1_000 },
  });
  admin = client.admin();
  producer = client.producer();
  await Promise.all([admin.connect(), producer.connect()]);
  const topic = { topic: TOPIC, numPartitions: 3, replicationFactor: 3 };
  await admin.createTopics({ topics: [topic], waitForLeaders: true });
});

afterAll(async () => {
  await Promise.all([admin?.disconnect(), producer?.disconnect()]);
  const pids = cluster.brokers.map(({ pid }) => pid);
  await cluster.stop();
  expect(pids.filter(isAlive)).toEqual([]);
});

const produce = (count: number): Promise<unknown> =>
  producer.send({
    topic: TOPIC,
    acks: -1,
    messages: Array.from({ length: count }, () => ({ value: "a value" })),
  });

async function leaders(): Promise<number[]> {
  const { topics } = await admin.fetchTopicMetadata({ topics: [TOPIC] });
  return topics.flatMap(({ partitions }) => partitions.map(({ leader }) => leader));
}

async function nodeIds(): Promise<number[]> {
  const { brokers } = await admin.describeCluster();
  return brokers.map(({ nodeId }) => nodeId).sort();
}

describe("a local Kafka cluster", () => {
  it("names its brokers otherwise than its bootstrap servers, when asked to", async () => {
    expect(cluster.bootstrapServers).toMatch(/^127\.0\.0\.1:\d+(,127\.0\.0\.1:\d+){2}$/);
    const { brokers } = await admin.describeCluster();
    expect(brokers.map(({ host }) => host)).toEqual(["localhost", "localhost", "localhost"]);
  });

  it("F02: leaders of a killed broker move to others, which lose nothing, and it comes back", async () => {
    const consumer = await startJavaConsumer({
      bootstrapServers: cluster.bootstrapServers,
      topic: TOPIC,
      groupId: "of-the-console",
    });
    await produce(30);
    await waitUntil("the first records came", () => consumer.received >= 30, LIMIT_MS);
    await cluster.broker(2).kill();
    await waitUntil(
      "leaders have moved",
      async () => {
        const now = await leaders();
        return !now.includes(2) && !now.includes(-1);
      },
      LIMIT_MS,
    );
    await produce(30);
    await waitUntil("the others came", () => consumer.received >= 60, LIMIT_MS);
    await cluster.broker(2).restart();
    await waitUntil("it is back", async () => (await nodeIds()).includes(2), LIMIT_MS);
    await consumer.stop();
    const { groups } = await admin.describeGroups(["of-the-console"]);
    expect(groups[0]?.state).toBe("Empty");
  });

  it("takes a broker in, and lets one go", async () => {
    const added = await cluster.addBroker({ rack: "a" });
    expect(added.nodeId).toBe(4);
    expect(await nodeIds()).toEqual([1, 2, 3, 4]);
    expect(cluster.bootstrapServers.split(",")).toContain(added.bootstrapServers);
    await cluster.removeBroker(4);
    expect(await nodeIds()).toEqual([1, 2, 3]);
    expect(isAlive(added.pid)).toBe(false);
  });
});
