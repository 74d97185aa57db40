/** Requests as they were in older versions of Kafka, on a broker of today that is asked no more than the older one offers. */
import { createAdmin, type KafkaAdmin } from "@penstock/kafka";
import { Kafka, logLevel } from "kafkajs";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";
import { Operator } from "../../record-source/operator.ts";
import { GENERATIONS } from "./generations.ts";

const NO_TOPIC_ID = "00000000-0000-0000-0000-000000000000";

/** Offsets 0 to 7 of partition 0: a committed and an aborted transaction of three records each, and their markers. */
async function transactions(bootstrapServers: string, topic: string): Promise<void> {
  const kafka = new Kafka({ brokers: [bootstrapServers], logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ transactionalId: topic, maxInFlightRequests: 1 });
  await producer.connect();
  for (const end of ["commit", "abort"] as const) {
    const transaction = await producer.transaction();
    const messages = [1, 2, 3].map((each) => ({ partition: 0, value: `${end} ${each}` }));
    await transaction.send({ topic, messages });
    await transaction[end]();
  }
  await producer.disconnect();
}

describe.each(Object.entries(GENERATIONS))("requests of Kafka %s", (version, apiVersionsMax) => {
  let world: GroupWorld;
  let operator: Operator;
  let admin: KafkaAdmin;

  beforeAll(async () => {
    const servers = inject("KAFKA");
    world = new GroupWorld(servers, { apiVersionsMax, groupProtocol: "classic" });
    operator = await Operator.connect(servers);
    admin = createAdmin({ bootstrapServers: [servers], apiVersionsMax });
  });
  afterAll(async () => {
    await Promise.all([world.close(), admin.close(), operator.close()]);
  });

  it("I-1, I-3, F17: reads in order what is committed, over two partitions, and resumes at a commit", async () => {
    const { topic, groupId } = await world.topic(2);
    await operator.fill(topic, 1, 200);
    await transactions(world.bootstrapServers, topic);
    const first = world.open({ topic, groupId, fetches: true });
    await first.untilHolds(2);
    await first.until("all came", () => first.offsetsOf(1).length === 200);
    const passed = () =>
      first.of("records").findLast(({ assignment }) => assignment.partition === 0)?.nextOffset;
    await first.until("the markers are passed", () => passed() === 8n);
    expect(first.valuesOf(0)).toEqual(["commit 1", "commit 2", "commit 3"]);
    expect(await first.commit(first.assignment(1), 150n)).toBe("committed");
    await first.source.close();
    const committed = await admin.committedOffsets(groupId, topic);
    expect([...committed]).toEqual([[1, { offset: 150n, metadata: "" }]]);

    const second = world.open({ topic, groupId, fetches: true });
    await operator.fill(topic, 1, 10, 200);
    await second.until("the rest came", () => second.offsetsOf(1).at(-1) === 209n);
    expect(second.offsetsOf(1)[0]).toBe(150n);
    expect(second.of("undecodable")).toEqual([]);
    second.source.abort();
  });

  it("F12: a position below the log start is told with the ends", async () => {
    const { topic, groupId } = await world.topic(1);
    for (let each = 0; each < 2; each++) await operator.fill(topic, 0, 5, each * 5);
    await admin.deleteRecords(topic, new Map([[0, 5n]]));
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    probe.source.fetch(probe.assignment(0), 2n);
    await probe.until("it is told", () => probe.of("outOfRange").length > 0);
    expect(probe.of("outOfRange")[0]).toMatchObject({ position: 2n, logStart: 5n });
    probe.source.abort();
  });

  it("describes topics and groups, lists offsets, shows the newest records, and removes", async () => {
    const { topic, groupId } = await world.topic(2);
    await operator.fill(topic, 0, 20);
    const { topicId, partitions } = await admin.describeTopic(topic);
    expect(partitions).toEqual([0, 1]);
    const hasIds = ["2.8", "3.4"].includes(version);
    expect(topicId === NO_TOPIC_ID).toBe(!hasIds);
    const newest = await admin.newestRecords(topic, 2);
    expect(newest.map(({ offset, value }) => [offset, String(value)])).toEqual([
      [18n, "value 18"],
      [19n, "value 19"],
    ]);
    const latest = await admin.listOffsets(topic, "latest");
    expect([latest.get(0)?.offset, latest.get(1)?.offset]).toEqual([20n, 0n]);
    expect((await admin.listOffsets(topic, { timestampMs: 0 })).get(1)?.offset).toBe(-1n);

    expect(await admin.describeGroup(groupId)).toEqual({ state: "Dead", members: [] });
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(2);
    const { state, members } = await admin.describeGroup(groupId);
    expect(state).toBe("Stable");
    expect(members).toMatchObject([
      { memberId: probe.state?.memberId, assignment: [{ topic, partitions: [0, 1] }] },
    ]);
    expect(await admin.removeMember(groupId, "nobody")).toBe(false);
    expect(await admin.removeMember(groupId, members[0]?.memberId ?? "")).toBe(true);
    await probe.source.close();
    if (version === "0.11")
      await expect(admin.deleteGroup(groupId)).rejects.toMatchObject({ code: "kafkaUnsupported" });
    else expect(await admin.deleteGroup(`${groupId}-never`)).toBe(false);
    await admin.deleteTopic(topic);
    await expect(admin.describeTopic(topic)).rejects.toMatchObject({ code: "kafkaTopicMissing" });
  });
});

describe("requests that a broker doesn't have", () => {
  it.each([
    ["Fetch", { 1: 3 }],
    ["Metadata", { 3: 0 }],
    ["JoinGroup", { 11: 1, 68: -1 }],
  ])("%s: the problem says what to do, and nothing is read", async (name, apiVersionsMax) => {
    const world = new GroupWorld(inject("KAFKA"), { apiVersionsMax });
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId, fetches: true });
    await probe.until("it has a problem", () => probe.problem?.code === "kafkaUnsupported");
    expect(probe.problem?.message).toContain(`does not offer ${name}`);
    expect(probe.problem?.message).toContain("PENSTOCK_KAFKA_DRIVER=kafkajs");
    await world.close();
  });
});
