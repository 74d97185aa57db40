import { createProducer, type KafkaProducer, type NewestRecord } from "@penstock/kafka";
import { Kafka, logLevel } from "kafkajs";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";

const text = ({ value }: NewestRecord) => String(value);

describe("a look at a topic from outside", () => {
  let world: GroupWorld;
  let producer: KafkaProducer;
  beforeAll(async () => {
    world = new GroupWorld(inject("KAFKA"));
    producer = await createProducer({ bootstrapServers: [world.bootstrapServers] });
  });
  afterEach(() => world.endProbes());
  afterAll(async () => {
    await producer.close();
    await world.close();
  });

  it("gives the newest records of all partitions, with everything that they hold", async () => {
    const { topic } = await world.topic(3);
    expect(await world.admin.newestRecords(topic, 5)).toEqual([]);
    const at = (index: number) => ({
      partition: index % 3,
      key: index % 2 === 0 ? `key ${index}` : null,
      value: `value ${index}`,
      timestampMs: 1_000 + index,
      headers: { h: `header ${index}` },
    });
    await producer.send(
      topic,
      Array.from({ length: 60 }, (_, index) => at(index)),
    );
    const newest = await world.admin.newestRecords(topic, 5);
    expect(newest.map(text)).toEqual([55, 56, 57, 58, 59].map((index) => `value ${index}`));
    expect(newest[3]).toEqual({
      topic,
      partition: 1,
      offset: 19n,
      timestampMs: 1_058,
      key: Buffer.from("key 58"),
      value: Buffer.from("value 58"),
      headers: [{ key: Buffer.from("h"), value: Buffer.from("header 58") }],
    });
    expect(await world.admin.newestRecords(topic, 100)).toHaveLength(60);
    await expect(world.admin.newestRecords(topic, 101)).rejects.toMatchObject({
      code: "invalidArgument",
    });
  });

  it("I-14: stays within 4 MiB, and still gives the very last records", async () => {
    const { topic } = await world.topic(1);
    for (let index = 0; index < 12; index++)
      await producer.send(topic, [{ value: `${index}`.padEnd(900_000, "x") }]);
    const newest = await world.admin.newestRecords(topic, 100);
    expect(newest.at(-1)?.offset).toBe(11n);
    expect(newest.length).toBeGreaterThan(1);
    expect(newest.length * 900_000).toBeLessThanOrEqual(4 << 20);
  });

  it("F17: leaves out what was aborted", async () => {
    const { topic } = await world.topic(1);
    const kafka = new Kafka({ brokers: [world.bootstrapServers], logLevel: logLevel.NOTHING });
    const writer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1 });
    await writer.connect();
    for (const [value, ends] of [
      ["one", "commit"],
      ["two", "abort"],
      ["three", "commit"],
    ] as const) {
      const transaction = await writer.transaction();
      await transaction.send({ topic, messages: [{ value }] });
      await transaction[ends]();
    }
    await writer.disconnect();
    await expect
      .poll(async () => (await world.admin.newestRecords(topic, 10)).map(text))
      .toEqual(["one", "three"]);
  });

  it("removes a group that nobody is in, and no other", async () => {
    const { topic, groupId } = await world.topic(1);
    expect(await world.admin.deleteGroup(groupId)).toBe(false);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    await probe.commit(probe.assignment(0), 0n);
    await expect(world.admin.deleteGroup(groupId)).rejects.toMatchObject({ code: "inUse" });
    await probe.source.close();
    expect(await world.admin.deleteGroup(groupId)).toBe(true);
    expect(await world.admin.committedOffsets(groupId, topic)).toEqual(new Map());
  });
});
