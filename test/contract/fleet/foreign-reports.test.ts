// What a node says of what it doesn't have, and reports that can't be stored: neither costs anybody else anything.
import type { Database } from "@penstock/postgres";
import { fleet } from "@penstock/proto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { FakeNode } from "./fake-node.ts";
import { FleetWorld } from "./fleet-world.ts";
import { changeMapping, insertMapping, readMapping, stateOf, waitingFor } from "./test-fleet.ts";
import { until } from "./until.ts";

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
});
afterEach(() => world.clear());
afterAll(() => world.stop());

const TOPIC = "0b1c2d3e-0000-4000-8000-000000000001";
const EPOCH_MAX = 2 ** 31 - 1;

const at = (mappingId: string, assignmentEpoch: number, committedOffset: bigint) => ({
  ...{ mappingId, topicId: TOPIC, partition: 0, assignmentEpoch, committedOffset },
  position: committedOffset,
  logEndOffset: 1_000n,
});

const storedOf = async (db: Database, id: string) =>
  (
    await db.sql<{ assignment_epoch: number; committed_offset: bigint }[]>`
      select assignment_epoch, committed_offset from partition_progress where mapping_id = ${id}`
  ).map((row) => [row.assignment_epoch, row.committed_offset]);

/** Two pollers, and a mapping that only the first has. */
async function twoNodes(settings = {}) {
  const db = await world.database();
  const replica = await world.replica(db, { settings });
  const owner = world.node(replica.address);
  const id = await insertMapping(db);
  await until(async () => (await waitingFor(db, id)).length === 1 && owner.runs.length === 1);
  const other = world.node(replica.address);
  await until(() => other.assignments !== null);
  return { db, replica, owner, other, id };
}

/** Resolves when what was reported before is stored, or never will be. */
async function settled(node: FakeNode, sequence: bigint) {
  node.progress({ sequence });
  await until(() => node.progressStored >= sequence);
}

describe("a node that speaks of a mapping that it doesn't have", () => {
  it("I-1: moves no position, shuts no honest report out, and forges no problem, gap, result or event", async () => {
    const { db, owner, other, id } = await twoNodes();
    const gap = { topic: "orders", partition: 0, firstOffset: 1n, lastOffset: 2n };
    other.progress({
      sequence: 1n,
      partitions: [at(id, EPOCH_MAX, 999n)],
      problems: [{ mappingId: id, index: 0, code: "kafkaTls", message: "forged" }],
      gaps: [{ gapId: crypto.randomUUID(), mappingId: id, topicId: TOPIC, gap }],
      results: [{ mappingId: id, lastProcessingResult: "forged" }],
      events: [{ mappingId: id, kind: "forged", message: "forged" }],
    });
    owner.progress({ sequence: 1n, partitions: [at(id, 1, 10n)] });
    await until(() => other.progressStored === 1n && owner.progressStored === 1n);
    expect(await storedOf(db, id)).toEqual([[1, 10n]]);
    expect(await db.sql`select 1 from gaps union all select 1 from poller_problems`).toEqual([]);
    expect(await db.sql`select 1 from mapping_events where kind = 'forged'`).toEqual([]);
    expect((await readMapping(db, id))?.last_processing_result).not.toBe("forged");
  });

  it("I-17: doesn't hold it, and keeps it from nothing", async () => {
    const { db, owner, other, id } = await twoNodes();
    other.hold(id, 7, "forged");
    await settled(other, 1n);
    expect(await waitingFor(db, id)).toEqual([owner.nodeId]);
    await changeMapping(db, id, { state: "Disabling", is_enabled: false });
    other.sendHoldings();
    await until(async () => (await stateOf(db, id)) === "Disabled");
    expect(await waitingFor(db, id)).toEqual([]);
  });

  it("I-17: a generation that it was never given confirms nothing", async () => {
    const { db, owner, id } = await twoNodes();
    owner.obeys = false;
    const value = { appliedGeneration: 2n ** 63n - 1n, isDraining: true };
    owner.send({ case: "holdings", value: { ...value, held: [] } as unknown as fleet.Holdings });
    const read = async () =>
      (
        await db.sql<{ is_draining: boolean; applied: bigint; given: bigint }[]>`
          select n.is_draining, n.applied_generation as applied, g.generation as given
            from nodes n join node_generations g on g.node_id = n.id
           where n.id = ${owner.nodeId}`
      )[0];
    await until(async () => (await read())?.is_draining === true);
    const { applied, given } = (await read()) ?? { applied: 0n, given: -1n };
    expect(applied).toBeLessThanOrEqual(given);
    await changeMapping(db, id, { state: "Disabling", is_enabled: false });
    await until(() => owner.runs.length === 0);
    expect(await stateOf(db, id)).toBe("Disabling");
    owner.obey();
    await until(async () => (await stateOf(db, id)) === "Disabled");
  });

  it("S-10: a stream whose node is somebody else's reports nothing", async () => {
    const { db, replica, owner, other, id } = await twoNodes();
    await owner.vanish();
    await db.sql`update nodes set credential = 'its owner' where id = ${owner.nodeId}`;
    const thief = world.node(replica.address, { nodeId: owner.nodeId });
    thief.progress({ sequence: 1n, partitions: [at(id, EPOCH_MAX, 999n)] });
    await until(() => thief.isOver);
    expect(thief.error).toMatchObject({ code: 7 });
    await settled(other, 1n);
    expect(await storedOf(db, id)).toEqual([]);
    expect(thief.progressStored).toBe(0n);
  });

  it("I-1: a node that comes back is heard from its first report on, before it is told anything", async () => {
    const { db, replica, owner, id } = await twoNodes();
    await owner.vanish();
    const again = world.node(replica.address, { nodeId: owner.nodeId, obeys: false });
    again.progress({ sequence: 1n, partitions: [at(id, 1, 20n)] });
    await until(() => again.progressStored === 1n);
    expect(await storedOf(db, id)).toEqual([[1, 20n]]);
  });

  it("S-10: an invoker reports neither progress nor holdings", async () => {
    const { replica, id } = await twoNodes();
    const [one, two] = [0, 1].map(() =>
      world.node(replica.address, { kind: fleet.NodeKind.INVOKER }),
    );
    one?.progress({ sequence: 1n, partitions: [at(id, EPOCH_MAX, 999n)] });
    two?.hold(id, 7, "forged");
    await until(() => one?.isOver === true && two?.isOver === true);
    expect([one?.error, two?.error]).toMatchObject([{ code: 7 }, { code: 7 }]);
  });
});

describe("a report that can't be stored", () => {
  it("S-24: is refused on intake, and ends only the stream that sent it", async () => {
    const { db, replica, owner, id } = await twoNodes();
    const gap = { topic: "orders", firstOffset: 0n, lastOffset: 0n };
    const gapAt = (time: object) => ({
      gaps: [{ gapId: crypto.randomUUID(), mappingId: id, topicId: TOPIC, gap: { ...gap, time } }],
    });
    const bad: Parameters<FakeNode["progress"]>[0][] = [
      { events: [{ mappingId: id, kind: "" }] },
      { events: [{ mappingId: id, kind: "k".repeat(65) }] },
      gapAt({ seconds: 9_000_000_000_000_000n }),
      gapAt({ seconds: -9_000_000_000_000_000n }),
      gapAt({ nanos: -1 }),
      // Twice the same row in one statement.
      { partitions: [at(id, 1, 1n), at(id.toUpperCase(), 1, 1n)] },
    ];
    const senders = bad.map((report) => {
      const node = world.node(replica.address);
      node.progress({ ...report, sequence: 1n });
      return node;
    });
    owner.progress({ sequence: 1n, partitions: [at(id, 1, 10n)] });
    await until(() => senders.every((node) => node.isOver) && owner.progressStored === 1n);
    expect(senders.map((node) => node.error)).toMatchObject(bad.map(() => ({ code: 3 })));
    expect(await storedOf(db, id)).toEqual([[1, 10n]]);
    expect(owner.isOver).toBe(false);
  });

  it("I-1: that the database refuses costs the others of the same batch nothing", async () => {
    const { db, owner, other, id } = await twoNodes({ progressIntervalMs: 1_000 });
    const second = await insertMapping(db);
    await until(() => other.runs.includes(`${second}/0`));
    await db.sql`
      alter table mapping_events add constraint poisoned check (message <> 'poison') not valid`;
    other.progress({ sequence: 1n, events: [{ mappingId: second, kind: "k", message: "poison" }] });
    owner.progress({ sequence: 1n, partitions: [at(id, 1, 10n)], events: [] });
    await until(() => other.isOver && owner.progressStored === 1n);
    expect(await storedOf(db, id)).toEqual([[1, 10n]]);
    expect(owner.isOver).toBe(false);
    expect(other.progressStored).toBe(0n);
  });
});
