import { createClient } from "@connectrpc/connect";
import type { Database } from "@penstock/postgres";
import { fleet } from "@penstock/proto";
import { createRpcTransport } from "@penstock/runtime";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FakeBrokers } from "./fake-brokers.ts";
import { FleetWorld } from "./fleet-world.ts";
import { changeMapping, enabled, insertMapping, stateOf, TestRegistry } from "./test-fleet.ts";
import { until } from "./until.ts";

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
});
afterEach(() => world.clear());
afterAll(() => world.stop());

describe("Join", () => {
  it("L-4: a new mapping is pinned, enabled and assigned to the nodes that are there", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const [a, b] = [world.node(replica.address), world.node(replica.address)];
    await until(() => a.assignments !== null && b.assignments !== null);
    expect(a.received[0]?.case).toBe("welcome");
    expect(a.runs).toEqual([]);
    const id = await insertMapping(db, { minimumPollers: 3 });
    await until(() => a.runs.length + b.runs.length === 3);
    expect([...a.runs, ...b.runs].sort()).toEqual([`${id}/0`, `${id}/1`, `${id}/2`]);
    expect(Math.abs(a.runs.length - b.runs.length)).toBe(1);
    await enabled(db, id);
    expect(a.assignments?.eventPollers[0]).toMatchObject({
      consumerGroupId: id,
      topic: "orders",
      batchSize: 100,
      maximumBatchingWindow: { nanos: 500_000_000 },
      pinnedStarts: [{ offset: 5n }, { offset: 5n }, { offset: 5n }, { offset: 5n }],
    });
  });

  it("sends whole assignments under a higher generation after each change, and none without one", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await until(() => node.runs.length === 1);
    const before = node.assignments?.generation ?? 0n;
    await changeMapping(db, id, { state: "Updating", batch_size: 7 });
    await until(() => node.assignments?.eventPollers[0]?.batchSize === 7);
    expect(node.assignments?.generation).toBeGreaterThan(before);
    await enabled(db, id);
    const count = node.received.filter((one) => one.case === "assignments").length;
    const other = await insertMapping(db);
    await until(() => node.runs.includes(`${other}/0`));
    expect(node.received.filter((one) => one.case === "assignments")).toHaveLength(count + 1);
  });

  it("stays Updating until every holder has the new revision", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await until(() => node.runs.length === 1);
    await until(async () => (await db.sql`select 1 from holdings`).length === 1);
    node.obeys = false;
    await changeMapping(db, id, { state: "Updating", batch_size: 7 });
    await until(() => node.assignments?.eventPollers[0]?.batchSize === 7);
    expect(await stateOf(db, id)).toBe("Updating");
    node.obey();
    await enabled(db, id);
  });

  it("tells functions whole at first and then what changed, to late readers the sum of it", async () => {
    const db = await world.database();
    const registry = new TestRegistry();
    registry.put("a", "http://a/1");
    const replica = await world.replica(db, { registry });
    const node = world.node(replica.address);
    await until(() => node.functions.get("a") === "http://a/1");
    registry.put("a", "http://a/2");
    registry.put("b", "http://b/1");
    await until(() => node.functions.get("b") === "http://b/1");
    expect(node.functions.get("a")).toBe("http://a/2");
    registry.remove("a");
    await until(() => !node.functions.has("a"));
    const snapshots = node.received.filter(
      (one) => one.case === "functions" && one.value.isSnapshot,
    );
    expect(snapshots).toHaveLength(1);
  });

  it("F48: tells pollers which invokers are up; one that leaves is dropped at once, one that vanishes later", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const poller = world.node(replica.address);
    const kind = fleet.NodeKind.INVOKER;
    const [leaving, dying] = [
      world.node(replica.address, { kind }),
      world.node(replica.address, { kind }),
    ];
    const up = () => poller.invokers?.invokers.map((one) => one.nodeId).sort() ?? [];
    await until(() => up().length === 2);
    await leaving.leave();
    await until(() => up().length === 1);
    expect(up()).toEqual([dying.nodeId]);
    await dying.vanish();
    await until(() => up().length === 0);
  });

  it("a second stream of the same node ends the first, on the same replica and on another", async () => {
    const db = await world.database();
    const [one, two] = [await world.replica(db), await world.replica(db)];
    const nodeId = crypto.randomUUID();
    const first = world.node(one.address, { nodeId });
    await until(() => first.assignments !== null);
    const second = world.node(one.address, { nodeId });
    await until(() => first.isOver && second.assignments !== null);
    const third = world.node(two.address, { nodeId });
    await until(() => second.isOver && third.assignments !== null);
    expect(third.isOver).toBe(false);
    const id = await insertMapping(db);
    await until(() => third.runs.includes(`${id}/0`));
  });

  it("refuses a stream that does not begin with a good hello", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const transport = createRpcTransport({ address: replica.address });
    const client = createClient(fleet.FleetService, transport);
    const joinWith = async (message: object) => {
      for await (const _ of client.join(
        (async function* () {
          yield { message } as never;
        })(),
      )) {
        // Nothing is expected.
      }
    };
    await expect(joinWith({ case: "progress", value: { sequence: 1n } })).rejects.toMatchObject({
      code: 9,
    });
    const hello = { nodeId: "x", kind: fleet.NodeKind.POLLER, address: "h:1", version: "" };
    await expect(joinWith({ case: "hello", value: hello })).rejects.toMatchObject({ code: 3 });
    transport.close();
  });

  it("announces a planned change to members of the group before it comes", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const first = world.node(replica.address);
    const group = `group-${crypto.randomUUID()}`;
    const id = await insertMapping(db, { minimumPollers: 2, group });
    await until(() => first.runs.length === 2);
    expect(first.plannedGroups).toEqual([]);
    const second = world.node(replica.address);
    await until(() => second.runs.length === 1 && first.runs.length === 1);
    await until(() => first.plannedGroups.includes(group));
    const cases = first.received.map((one) => one.case);
    expect(cases.indexOf("plannedChange")).toBeLessThan(cases.lastIndexOf("assignments"));
    await enabled(db, id);
  });
});

describe("pinned starts", () => {
  const pins = async (db: Database, id: string) =>
    (
      await db.sql<{ start_offset: bigint }[]>`
        select distinct start_offset from pinned_starts where mapping_id = ${id}`
    ).map((row) => row.start_offset);

  it("I-8: are numbers of the brokers: the log start, the log end, the time that was asked for", async () => {
    const db = await world.database();
    const brokers = new FakeBrokers();
    await world.replica(db, { brokers });
    const time = new Date(1_700_000_000_000);
    const ids = await Promise.all([
      insertMapping(db, { startingPosition: "TRIM_HORIZON" }),
      insertMapping(db, { startingPosition: "LATEST" }),
      insertMapping(db, { startingPosition: "AT_TIMESTAMP", startingPositionTimestamp: time }),
    ]);
    for (const id of ids) await enabled(db, id);
    expect(await Promise.all(ids.map((id) => pins(db, id)))).toEqual([[5n], [100n], [50n]]);
    expect(brokers.timesAsked).toEqual([time.getTime()]);
  });

  it("I-8, F04: with the brokers away it says why, becomes Enabled and is assigned to nobody; a late LATEST misses nothing", async () => {
    const db = await world.database();
    const brokers = new FakeBrokers();
    brokers.isAway = true;
    const replica = await world.replica(db, { brokers });
    const node = world.node(replica.address);
    const createdAt = new Date(Date.now() - 60_000);
    const id = await insertMapping(db, { startingPosition: "LATEST", createdAt });
    const read = async () =>
      (
        await db.sql<{ state: string; state_reason: string; last_processing_result: string }[]>`
          select state, state_reason, last_processing_result from mappings where id = ${id}`
      )[0];
    await until(async () => (await read())?.state_reason === "ESM_CONFIG_NOT_VALID");
    expect((await read())?.last_processing_result).toMatch(
      /^PROBLEM: Connection error.*No broker can be reached\.$/,
    );
    await enabled(db, id);
    expect((await read())?.state_reason).toBe("ESM_CONFIG_NOT_VALID");
    expect(node.runs).toEqual([]);
    brokers.isAway = false;
    await until(() => node.runs.length === 1);
    expect(await pins(db, id)).toEqual([50n]);
    expect(brokers.timesAsked).toEqual([createdAt.getTime()]);
    await until(async () => (await read())?.state_reason === "USER_INITIATED");
    expect((await read())?.last_processing_result).toBe("No records processed");
  });

  it("a mapping that was created disabled is pinned, Disabled, and assigned to nobody", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db, { isEnabled: false });
    await until(async () => (await stateOf(db, id)) === "Disabled");
    expect(await pins(db, id)).toEqual([5n]);
    expect(node.runs).toEqual([]);
  });

  it("F15: new partitions are noticed and are not pinned", async () => {
    const db = await world.database();
    const brokers = new FakeBrokers();
    brokers.partitions = 1;
    const replica = await world.replica(db, { brokers });
    const node = world.node(replica.address);
    await insertMapping(db, { minimumPollers: 5 });
    await until(() => node.runs.length === 1);
    brokers.partitions = 3;
    await until(() => node.runs.length === 3);
    expect(node.assignments?.eventPollers[0]?.pinnedStarts).toHaveLength(1);
  });
});
