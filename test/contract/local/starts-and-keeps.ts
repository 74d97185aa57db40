import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, type KafkaVersion, startJavaConsumer, startKafka } from "@penstock/local";
import { waitUntil } from "@penstock/testkit";
import { Kafka, logLevel } from "kafkajs";
import { expect } from "vitest";

const RECORDS = 20;
const LIMIT_MS = 60_000;

/**
 * A broker of the version coordinates a group when it is ready, keeps its records over a kill -9, and goes when it is stopped. The
 * group's member is the version's own console consumer.
 */
export async function startsAndKeeps(version: KafkaVersion): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), "penstock-kafka-"));
  const kafka = await startKafka({ version, dataDir: folder });
  try {
    const { bootstrapServers, pid } = kafka;
    const client = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
    const admin = client.admin();
    const producer = client.producer();
    await Promise.all([admin.connect(), producer.connect()]);
    const topic = "kept";
    // Brokers before 2.4 have no default for the replicas.
    const topics = [{ topic, numPartitions: 2, replicationFactor: 1 }];
    await admin.createTopics({ topics, waitForLeaders: true });
    const messages = Array.from({ length: RECORDS }, () => ({ value: "a value" }));
    await producer.send({ topic, acks: -1, messages });
    await Promise.all([admin.disconnect(), producer.disconnect()]);

    await kafka.kill();
    expect(isAlive(pid)).toBe(false);
    await kafka.restart();
    const options = { version, bootstrapServers, topic, groupId: "of-the-console" };
    const consumer = await startJavaConsumer(options);
    await waitUntil("all records came", () => consumer.received === RECORDS, LIMIT_MS);
    await consumer.stop();
  } finally {
    await kafka.stop();
    rmSync(folder, { recursive: true, force: true });
  }
  expect(isAlive(kafka.pid)).toBe(false);
}
