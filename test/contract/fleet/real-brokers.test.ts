import { createAdmin, createProducer, createRecordSourceDriver } from "@penstock/kafka";
import { systemClock } from "@penstock/runtime";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { FleetWorld } from "./fleet-world.ts";
import { enabled, insertMapping, readMapping, silentLog } from "./test-fleet.ts";
import { until } from "./until.ts";

let world: FleetWorld;
const bootstrapServers = [inject("KAFKA")];
const admin = createAdmin({ bootstrapServers });
beforeAll(async () => {
  world = await FleetWorld.start();
});
afterEach(() => world.clear());
afterAll(async () => {
  await admin.close();
  await world.stop();
});

describe("the leader with real brokers", () => {
  it("I-8, F15: pins what the brokers say, and notices new partitions", async () => {
    const topic = `fleet-${crypto.randomUUID()}`;
    const topicId = await admin.createTopic(topic, { partitions: 2 });
    const producer = await createProducer({ bootstrapServers });
    await producer.send(
      topic,
      Array.from({ length: 3 }, () => ({ partition: 1, value: "x" })),
    );
    await producer.close();
    const db = await world.database();
    const replica = await world.replica(db, { brokers: null });
    const node = world.node(replica.address);
    const id = await insertMapping(db, {
      bootstrapServers,
      topic,
      startingPosition: "LATEST",
      minimumPollers: 3,
    });
    await until(() => node.runs.length === 2);
    expect(await readMapping(db, id)).toMatchObject({ topic_id: topicId, partition_count: 2 });
    expect(node.assignments?.eventPollers[0]?.pinnedStarts).toMatchObject([
      { topicId, partition: 0, offset: 0n },
      { topicId, partition: 1, offset: 3n },
    ]);
    await admin.addPartitions(topic, 3);
    await until(() => node.runs.length === 3);
  });

  it("says that the topic is missing, and heals when it is there", async () => {
    const topic = `fleet-${crypto.randomUUID()}`;
    const db = await world.database();
    const replica = await world.replica(db, { brokers: null });
    const id = await insertMapping(db, { bootstrapServers, topic });
    const node = world.node(replica.address);
    await until(async () => (await readMapping(db, id))?.problem_message?.includes(topic) ?? false);
    expect(await readMapping(db, id)).toMatchObject({
      state_reason: "ESM_CONFIG_NOT_VALID",
      problem_code: "kafkaTopicMissing",
    });
    await enabled(db, id);
    expect(node.runs).toEqual([]);
    await admin.createTopic(topic, { partitions: 1 });
    await until(() => node.runs.length === 1);
    await until(async () => (await readMapping(db, id))?.problem_code === null);
    await enabled(db, id);
  });

  it("I-18, F31: sends the leave of a vanished node's member, long before its session runs out", async () => {
    const topic = `fleet-${crypto.randomUUID()}`;
    await admin.createTopic(topic, { partitions: 1 });
    const db = await world.database();
    const replica = await world.replica(db, { brokers: null });
    const node = world.node(replica.address);
    const id = await insertMapping(db, { bootstrapServers, topic });
    await until(() => node.runs.length === 1);
    const driver = createRecordSourceDriver({
      clock: systemClock,
      log: silentLog,
      clientId: `penstock-${node.nodeId}`,
    });
    let isLost = false;
    const source = driver.open(
      {
        bootstrapServers,
        topic,
        groupId: id,
        drainLimitMs: 1_000,
        fetchBytesMax: 1_000_000,
        fetchPartitionBytesMax: 1_000_000,
        inflatedBytesMax: 1_000_000,
        countMemory: () => {},
      },
      {
        adopted() {},
        records() {},
        logEnds() {},
        responseEnd() {},
        revoking: (assignment) => source.release(assignment),
        lost: () => {
          isLost = true;
        },
        outOfRange() {},
        undecodable() {},
        problem() {},
        membership() {},
      },
    );
    await until(async () => (await admin.describeGroup(id)).members.length === 1);
    node.hold(id, 0, source.memberId);
    await until(async () => {
      const rows = await db.sql`select 1 from holdings where member_id = ${source.memberId}`;
      return rows.length === 1;
    });
    await node.vanish();
    const other = world.node(replica.address);
    await until(() => other.runs.length === 1);
    await until(() => isLost);
    source.abort();
    await driver.close();
  });
});
