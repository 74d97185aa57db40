import { createProducer } from "@penstock/kafka";
import { Kafka, logLevel } from "kafkajs";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";

describe("the administrator", () => {
  let world: GroupWorld;
  beforeAll(() => {
    world = new GroupWorld(inject("KAFKA"));
  });
  afterEach(() => world.endProbes());
  afterAll(() => world.close());

  it("creates, describes, extends and deletes topics", async () => {
    const { topic } = await world.topic(2);
    const described = await world.admin.describeTopic(topic);
    expect(described.partitions).toEqual([0, 1]);
    expect(described.topicId).toMatch(/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/);
    await expect(world.admin.createTopic(topic, { partitions: 1 })).rejects.toMatchObject({
      code: "conflict",
    });
    await world.admin.addPartitions(topic, 5);
    expect((await world.admin.describeTopic(topic)).partitions).toEqual([0, 1, 2, 3, 4]);
    await world.admin.deleteTopic(topic);
    await expect(world.admin.describeTopic(topic)).rejects.toMatchObject({
      code: "kafkaTopicMissing",
    });
  });

  it("F17, F24: lists the first and the last stable offset, and offsets by time", async () => {
    const { topic } = await world.topic(2);
    const producer = await createProducer({ bootstrapServers: [world.bootstrapServers] });
    await producer.send(
      topic,
      [10, 20, 30].map((timestampMs) => ({ partition: 0, value: "v", timestampMs })),
    );
    await producer.close();
    const kafka = new Kafka({ brokers: [world.bootstrapServers], logLevel: logLevel.NOTHING });
    const transactional = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1 });
    await transactional.connect();
    const open = await transactional.transaction();
    await open.send({ topic, messages: [{ partition: 0, value: "open" }] });

    const offsets = async (spec: Parameters<typeof world.admin.listOffsets>[1]) =>
      [...(await world.admin.listOffsets(topic, spec))]
        .sort(([a], [b]) => a - b)
        .map(([, { offset }]) => offset);
    expect(await offsets("latest")).toEqual([3n, 0n]);
    await open.abort();
    await expect.poll(() => offsets("latest")).toEqual([5n, 0n]);
    expect(await offsets("earliest")).toEqual([0n, 0n]);
    expect(await offsets({ timestampMs: 11 })).toEqual([1n, -1n]);
    await world.admin.deleteRecords(topic, new Map([[0, 2n]]));
    expect(await offsets("earliest")).toEqual([2n, 0n]);
    await transactional.disconnect();
  });

  it("says of groups what kafkajs can't: their members, also of the new protocol", async () => {
    const { topic, groupId } = await world.topic(2);
    expect(await world.admin.describeGroup(groupId)).toEqual({ state: "Dead", members: [] });
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(2);
    const described = await world.admin.describeGroup(groupId);
    expect(described.state).toBe("Stable");
    const { memberId, memberEpoch } = described.members[0] ?? {};
    expect(described.members[0]).toMatchObject({ clientId: "penstock-test" });
    expect({ memberId, memberEpoch }).toEqual({
      memberId: probe.source.memberId,
      memberEpoch: probe.state?.memberEpoch,
    });
    expect(await world.admin.removeMember(groupId, "nobody")).toBe(false);
    expect(probe.held.size).toBe(2);
  });

  it("F36: a foreign consumer of the older protocol may join; it gets its share and gives it back", async () => {
    const { topic, groupId } = await world.topic(4);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(4);
    const kafka = new Kafka({ brokers: [world.bootstrapServers], logLevel: logLevel.NOTHING });
    // Brokers of tests take no longer session of classic members.
    const foreign = kafka.consumer({ groupId, sessionTimeout: 8_000 });
    await foreign.connect();
    await foreign.subscribe({ topic });
    await foreign.run({ eachMessage: async () => {} });
    await probe.until("it gave half away", () => probe.held.size === 2);
    expect(await probe.commit(probe.assignment(probe.partitions[0] ?? -1), 1n)).toBe("committed");
    await foreign.disconnect();
    await probe.untilHolds(4);
    expect(probe.of("lost")).toEqual([]);
  });
});
