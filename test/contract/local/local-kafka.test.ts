import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { isAlive, KAFKA_VERSION, type LocalKafka, startKafka } from "@penstock/local";
import { type Admin, Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

const folder = mkdtempSync(join(tmpdir(), "penstock-kafka-"));
let kafka: LocalKafka;

beforeAll(async () => {
  kafka = await startKafka({ dataDir: folder });
});

afterAll(async () => {
  await kafka.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function withAdmin<T>(work: (admin: Admin) => Promise<T>): Promise<T> {
  const client = new Kafka({ brokers: [kafka.bootstrapServers], logLevel: logLevel.NOTHING });
  const admin = client.admin();
  await admin.connect();
  try {
    return await work(admin);
  } finally {
    await admin.disconnect();
  }
}

const createTopic = (topic: string): Promise<boolean> =>
  withAdmin((admin) =>
    admin.createTopics({ topics: [{ topic, numPartitions: 3 }], waitForLeaders: true }),
  );
const topics = (): Promise<string[]> => withAdmin((admin) => admin.listTopics());

describe("a local Kafka", () => {
  it(`is Apache Kafka ${KAFKA_VERSION} and listens on loopback only`, () => {
    expect(kafka.bootstrapServers).toBe(`127.0.0.1:${kafka.port}`);
  });

  it("coordinates groups from the moment it is ready", async () => {
    const groups = await withAdmin((admin) => admin.describeGroups(["nobody"]));
    expect(groups.groups.map(({ groupId }) => groupId)).toEqual(["nobody"]);
  });

  it("keeps its ports and its topics over a restart", async () => {
    const { bootstrapServers, pid } = kafka;
    await createTopic("kept-over-restart");
    await kafka.restart();
    expect(kafka.bootstrapServers).toBe(bootstrapServers);
    expect(kafka.pid).not.toBe(pid);
    expect(await topics()).toContain("kept-over-restart");
  });

  it("comes back after kill -9 with what it had", async () => {
    await createTopic("kept-over-kill");
    const { pid } = kafka;
    await kafka.kill();
    expect(isAlive(pid)).toBe(false);
    await kafka.restart();
    expect(await topics()).toContain("kept-over-kill");
  });

  it("answers nothing while paused and everything afterwards", async () => {
    kafka.pause();
    let hasAnswered = false;
    const answer = topics().finally(() => {
      hasAnswered = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasAnswered).toBe(false);
    kafka.resume();
    expect(await answer).toContain("kept-over-kill");
  });

  it("stops within seconds, and stopping again is harmless", async () => {
    const { pid } = kafka;
    await kafka.stop();
    await kafka.stop();
    expect(isAlive(pid)).toBe(false);
    await kafka.restart();
  });
});
