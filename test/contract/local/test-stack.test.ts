import { connect } from "node:net";
import { createTestDatabase } from "@penstock/local";
import { Kafka, logLevel } from "kafkajs";
import { expect, inject, it } from "vitest";

it("every test file finds one real Kafka", async () => {
  const brokers = [inject("KAFKA")];
  const admin = new Kafka({ brokers, logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  expect((await admin.describeCluster()).brokers).toHaveLength(1);
  await admin.disconnect();
});

it("every test file can have a database of its own", async () => {
  const [first, second] = await Promise.all([
    createTestDatabase(inject("POSTGRES")),
    createTestDatabase(inject("POSTGRES")),
  ]);
  expect(first).not.toBe(second);
  const socket = connect(Number(new URL(first).port), "127.0.0.1");
  await new Promise((resolve, reject) => socket.once("connect", resolve).once("error", reject));
  socket.destroy();
});
