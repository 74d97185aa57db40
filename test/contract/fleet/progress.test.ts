import { createClient } from "@connectrpc/connect";
import type { Database } from "@penstock/postgres";
import { fleet, mapping } from "@penstock/proto";
import { createRpcTransport } from "@penstock/runtime";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { FakeNode } from "./fake-node.ts";
import { FleetWorld } from "./fleet-world.ts";
import { changeMapping, enabled, insertMapping, readMapping, stateOf } from "./test-fleet.ts";
import { until } from "./until.ts";

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
});
afterEach(() => world.clear());
afterAll(() => world.stop());

const TOPIC = "0b1c2d3e-0000-4000-8000-000000000001";

const at = (mappingId: string, epoch: number, committed: bigint, partition = 0) => ({
  mappingId,
  topicId: TOPIC,
  partition,
  assignmentEpoch: epoch,
  position: committed + 5n,
  committedOffset: committed,
  logEndOffset: 1_000n,
});

const storedOf = async (db: Database, id: string) =>
  (
    await db.sql<{ assignment_epoch: number; committed_offset: bigint }[]>`
      select assignment_epoch, committed_offset from partition_progress where mapping_id = ${id}
       order by partition`
  ).map((row) => [row.assignment_epoch, row.committed_offset]);

/** A node whose mapping is Enabled, and a way to report and wait until that is stored. */
async function reporting(settings = {}) {
  const db = await world.database();
  const replica = await world.replica(db, { settings });
  const node = world.node(replica.address);
  const id = await insertMapping(db);
  await until(() => node.runs.length === 1);
  let sequence = 0n;
  const report = async (value: Parameters<FakeNode["progress"]>[0], by = node) => {
    sequence++;
    by.progress({ ...value, sequence });
    const mine = sequence;
    await until(() => by.progressStored >= mine);
  };
  return { db, replica, node, id, report };
}

describe("progress", () => {
  it("I-5, I-7: a newer epoch replaces an older one, in one epoch offsets only rise, and nothing is lost of the archive", async () => {
    const { db, id, report } = await reporting();
    await report({ partitions: [at(id, 3, 10n), at(id, 3, 7n, 1)] });
    await report({ partitions: [at(id, 3, 9n)] });
    expect(await storedOf(db, id)).toEqual([
      [3, 10n],
      [3, 7n],
    ]);
    await report({ partitions: [at(id, 2, 99n)] });
    await report({ partitions: [at(id, 4, 4n)] });
    expect((await storedOf(db, id))[0]).toEqual([4, 4n]);
    await report({ partitions: [at(id, 5, -1n)] });
    expect((await storedOf(db, id))[0]).toEqual([5, 4n]);
  });

  it("L-4: watchers hear of progress by the mapping's id, and of nothing when nothing changed", async () => {
    const { db, id, report } = await reporting();
    await enabled(db, id);
    await until(async () => (await readMapping(db, id))?.problem_code === null);
    const heard: string[] = [];
    let isListening = false;
    db.listen("penstock_mappings", {
      onNotify: (payload) => heard.push(payload),
      onSubscribed: () => (isListening = true),
    });
    await until(() => isListening);
    await report({ partitions: [at(id, 1, 1n), at(id, 1, 1n, 1), at(id, 1, 1n, 2)] });
    await until(() => heard.length > 0);
    await report({ partitions: [at(id, 0, 1n)] });
    expect(heard).toEqual([id]);
  });

  it("stores each gap once however often it is reported, with an event", async () => {
    const { db, id, report } = await reporting();
    const gap = {
      gapId: crypto.randomUUID(),
      mappingId: id,
      topicId: TOPIC,
      gap: {
        topic: "orders",
        partition: 2,
        firstOffset: 3n,
        lastOffset: 9n,
        reason: mapping.GapReason.TRUNCATED,
        message: "gone\u0000",
        time: { seconds: 1_700_000_000n },
      },
    };
    await report({ gaps: [gap] });
    await report({
      gaps: [gap, { ...gap, mappingId: crypto.randomUUID(), gapId: crypto.randomUUID() }],
    });
    const rows = await db.sql`
      select partition, first_offset, last_offset, reason, message, found_at from gaps`;
    expect(rows).toEqual([
      {
        partition: 2,
        first_offset: 3n,
        last_offset: 9n,
        reason: "TRUNCATED",
        message: "gone",
        found_at: new Date(1_700_000_000_000),
      },
    ]);
    const events = await db.sql`select message from mapping_events where kind = 'gap'`;
    expect(events).toEqual([{ message: "TRUNCATED orders-2 offsets 3 to 9: gone" }]);
  });

  it("shows the last result, and a problem until it heals", async () => {
    const { db, id, report } = await reporting();
    const shown = async () => (await readMapping(db, id))?.last_processing_result;
    await report({ results: [{ mappingId: id, lastProcessingResult: "OK" }] });
    expect(await shown()).toBe("OK");
    const problem = { mappingId: id, index: 0, code: "kafkaUnavailable", message: "No broker." };
    await report({ problems: [problem] });
    await until(async () => (await shown())?.endsWith("configuration. No broker.") ?? false);
    await report({ results: [{ mappingId: id, lastProcessingResult: "OK" }] });
    expect((await readMapping(db, id))?.problem_code).toBe("kafkaUnavailable");
    expect(await shown()).not.toBe("OK");
    await report({ partitions: [at(id, 1, 50n)] });
    await report({ problems: [{ ...problem, code: "", message: "" }] });
    await until(async () => (await shown()) === "OK");
    expect((await readMapping(db, id))?.problem_code).toBeNull();
    expect(await db.sql`select 1 from poller_problems`).toEqual([]);
  });

  it("F97: reports for a mapping that is gone are taken and forgotten, those beside them stored", async () => {
    const { db, id, report } = await reporting();
    await report({ partitions: [at(crypto.randomUUID(), 1, 1n), at(id, 1, 2n)] });
    expect(await storedOf(db, id)).toEqual([[1, 2n]]);
  });

  it("ends the stream of a malformed report, and only that one", async () => {
    const { db, replica, node, id, report } = await reporting();
    const bad = world.node(replica.address);
    await until(() => bad.assignments !== null);
    bad.progress({ sequence: 1n, partitions: [at("not-a-uuid", 1, 1n)] });
    await until(() => bad.isOver);
    expect(bad.error).toMatchObject({ code: 3 });
    await report({ partitions: [at(id, 1, 2n)] });
    expect(await storedOf(db, id)).toEqual([[1, 2n]]);
    expect(node.isOver).toBe(false);
  });

  it("counts epochs anew after the mapping was Disabled: Kafka forgets an empty group", async () => {
    const { db, id, report } = await reporting();
    await report({ partitions: [at(id, 50, 10n)] });
    await changeMapping(db, id, { state: "Disabling", is_enabled: false });
    await until(async () => (await stateOf(db, id)) === "Disabled");
    await changeMapping(db, id, { state: "Enabling", is_enabled: true });
    await enabled(db, id);
    await report({ partitions: [at(id, 1, 12n)] });
    expect(await storedOf(db, id)).toEqual([[1, 12n]]);
  });

  it("I-6: the last position that a node reports is stored before it counts as confirmed that it holds nothing", async () => {
    const { db, node, id } = await reporting({ progressIntervalMs: 60_000 });
    node.obeys = false;
    node.progress({ sequence: 1n, partitions: [at(id, 50, 10n)] });
    await changeMapping(db, id, { state: "Disabling", is_enabled: false });
    await until(() => node.runs.length === 0);
    node.progress({ sequence: 2n, partitions: [at(id, 50, 42n)] });
    node.obey();
    await until(async () => (await stateOf(db, id)) === "Disabled");
    expect(await storedOf(db, id), "with the epoch counted anew").toEqual([[0, 42n]]);
  });

  it("I-1: a report whose gaps have no room is not acknowledged, and its node has to join anew", async () => {
    const { db, node, id } = await reporting({ unstoredGapsMax: 1, progressIntervalMs: 1_000 });
    const gapOf = () => [
      { gapId: crypto.randomUUID(), mappingId: id, topicId: TOPIC, gap: { topic: "orders" } },
    ];
    node.progress({ sequence: 1n, gaps: gapOf() });
    node.progress({ sequence: 2n, gaps: gapOf() });
    node.progress({ sequence: 3n, partitions: [at(id, 1, 2n)] });
    await until(() => node.isOver);
    expect(node.progressStored).toBeLessThanOrEqual(1n);
    expect(await db.sql`select 1 from gaps`).toHaveLength(1);
    expect(await storedOf(db, id)).toEqual([]);
  });
});

describe("GetPositions", () => {
  it("answers archived offsets of the topic id that was asked for, NOT_FOUND for a mapping that is gone", async () => {
    const { replica, id, report } = await reporting();
    await report({ partitions: [at(id, 1, 10n), at(id, 1, -1n, 1), at(id, 1, 30n, 2)] });
    const transport = createRpcTransport({ address: replica.address });
    const client = createClient(fleet.FleetService, transport);
    const ask = (mappingId: string, topicId: string) =>
      client.getPositions({ mappingId, topicId, partitions: [0, 1] });
    const { positions } = await ask(id, TOPIC);
    expect(positions.map((one) => [one.partition, one.committedOffset])).toEqual([[0, 10n]]);
    expect((await ask(id, crypto.randomUUID())).positions).toEqual([]);
    await expect(ask(crypto.randomUUID(), TOPIC)).rejects.toMatchObject({ code: 5 });
    await expect(ask("x", TOPIC)).rejects.toMatchObject({ code: 3 });
    transport.close();
  });
});
