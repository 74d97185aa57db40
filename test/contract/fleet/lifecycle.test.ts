import type { Database } from "@penstock/postgres";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FakeBrokers } from "./fake-brokers.ts";
import { FleetWorld } from "./fleet-world.ts";
import {
  changeMapping,
  enabled,
  insertMapping,
  readMapping,
  stateOf,
  waitingFor,
} from "./test-fleet.ts";
import { until } from "./until.ts";

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
});
afterEach(() => world.clear());
afterAll(() => world.stop());

const disable = (db: Database, id: string) =>
  changeMapping(db, id, { state: "Disabling", is_enabled: false });
const enable = (db: Database, id: string) =>
  changeMapping(db, id, { state: "Enabling", is_enabled: true });
const eventsOf = async (db: Database, id: string) =>
  (
    await db.sql<{ kind: string; message: string }[]>`
      select kind, message from mapping_events where mapping_id = ${id} order by mapping_events.id`
  ).map((row) => `${row.kind}: ${row.message}`);
const isHeld = async (db: Database, id: string) =>
  (await db.sql`select 1 from holdings where mapping_id = ${id}`).length > 0;

describe("vanished nodes", () => {
  it("I-18, F31: what a vanished node had runs elsewhere after the vanishing time, and its members' leave is sent", async () => {
    const db = await world.database();
    const brokers = new FakeBrokers();
    const replica = await world.replica(db, { brokers });
    const dying = world.node(replica.address);
    const id = await insertMapping(db);
    await until(() => dying.runs.length === 1);
    await until(() => isHeld(db, id));
    const member = `member-${dying.nodeId}-${id}-0`;
    brokers.groups.set(id, [
      { memberId: member, clientId: `penstock-${dying.nodeId}` },
      { memberId: "foreign", clientId: "somebody" },
    ]);
    await dying.vanish();
    const diedAtMs = performance.now();
    const other = world.node(replica.address);
    await until(() => other.runs.includes(`${id}/0`));
    expect(performance.now() - diedAtMs).toBeGreaterThan(1_000);
    await until(() => brokers.removed.includes(member));
    expect(brokers.removed).toEqual([member]);
    await until(async () => {
      const rows = await db.sql`select 1 from nodes where id = ${dying.nodeId}`;
      return rows.length === 0;
    });
    expect(await waitingFor(db, id)).toEqual([other.nodeId]);
  });

  it("a node that was away for a moment keeps its event pollers and is told nothing new", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await until(() => isHeld(db, id));
    const { generation } = node.assignments ?? { generation: 0n };
    await node.vanish();
    const again = world.node(replica.address, { nodeId: node.nodeId });
    await until(() => again.runs.includes(`${id}/0`));
    expect(again.assignments?.generation).toBe(generation);
  });

  it("a node that comes back after it was given up is told to stop, under a higher generation", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await until(() => isHeld(db, id));
    const { generation } = node.assignments ?? { generation: 0n };
    await node.vanish();
    const other = world.node(replica.address);
    await until(() => other.runs.includes(`${id}/0`));
    await until(async () => (await waitingFor(db, id)).join() === other.nodeId);
    const again = world.node(replica.address, { nodeId: node.nodeId, obeys: false });
    await until(() => again.assignments !== null);
    expect(again.assignments?.generation).toBeGreaterThan(generation);
    expect([...again.runs, ...other.runs]).toEqual([`${id}/0`]);
  });
});

describe("draining nodes", () => {
  it("L-3: give up what they have to others, and are forgotten when they leave", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const leaving = world.node(replica.address);
    const id = await insertMapping(db, { minimumPollers: 2 });
    await until(() => leaving.runs.length === 2);
    const staying = world.node(replica.address);
    await until(() => staying.runs.length === 1 && leaving.runs.length === 1);
    leaving.drain();
    await until(() => staying.runs.length === 2);
    await until(() => leaving.runs.length === 0);
    await leaving.leave();
    await until(async () => {
      const rows = await db.sql`select 1 from nodes where id = ${leaving.nodeId}`;
      return rows.length === 0;
    });
    await until(async () => (await waitingFor(db, id)).join() === staying.nodeId);
  });
});

describe("disable and delete", () => {
  it("I-17: Disabled is reported when the node has confirmed, and until then it is named", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await until(() => isHeld(db, id));
    node.obeys = false;
    await disable(db, id);
    await until(() => node.runs.length === 0);
    // Several looks of the leader later.
    const leadership = async () =>
      (await db.sql<{ lease_until: Date }[]>`select lease_until from leadership`)[0]?.lease_until;
    const before = await leadership();
    await until(async () => ((await leadership()) ?? 0) > (before ?? 0));
    expect(await stateOf(db, id)).toBe("Disabling");
    expect(await waitingFor(db, id)).toEqual([node.nodeId]);
    node.obey();
    await until(async () => (await stateOf(db, id)) === "Disabled");
    expect(await waitingFor(db, id)).toEqual([]);
    await until(async () => (await readMapping(db, id))?.state_reason === "USER_INITIATED");
  });

  it("I-17: a confirmed list without the confirmed generation is no confirmation", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address, { obeys: false });
    const id = await insertMapping(db);
    await until(() => node.runs.length === 1);
    await disable(db, id);
    await until(() => node.runs.length === 0);
    node.sendHoldings();
    await until(async () => (await waitingFor(db, id)).includes(node.nodeId));
    expect(await stateOf(db, id)).toBe("Disabling");
    node.obey();
    await until(async () => (await stateOf(db, id)) === "Disabled");
  });

  it("I-17: with its node gone it is Disabled only after Kafka shows no member of ours for the drain limit", async () => {
    const db = await world.database();
    const brokers = new FakeBrokers();
    const replica = await world.replica(db, { brokers });
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await until(() => isHeld(db, id));
    // Of no node that is known: nobody may end its membership.
    const zombie = { memberId: "rejoined", clientId: `penstock-${crypto.randomUUID()}` };
    brokers.groups.set(id, [zombie]);
    await node.vanish();
    await disable(db, id);
    const other = world.node(replica.address);
    const later = await insertMapping(db);
    await until(() => other.runs.includes(`${later}/0`));
    await until(async () => {
      const rows = await db.sql<{ is_old: boolean }[]>`
        select seen_at < now() - interval '3 seconds' as is_old from nodes where id = ${node.nodeId}`;
      return rows[0]?.is_old === true;
    });
    expect(await stateOf(db, id)).toBe("Disabling");
    expect(await waitingFor(db, id)).toEqual([node.nodeId]);
    expect(brokers.removed).not.toContain("rejoined");
    brokers.groups.set(id, []);
    const clearAtMs = performance.now();
    await until(async () => (await stateOf(db, id)) === "Disabled");
    expect(performance.now() - clearAtMs).toBeGreaterThan(700);
  });

  it("I-17: delete ends when the nodes have confirmed; the mapping is gone and its last event says so", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await until(() => isHeld(db, id));
    await changeMapping(db, id, { state: "Deleting" });
    await until(async () => (await stateOf(db, id)) === "gone");
    expect(node.runs).toEqual([]);
    expect(await waitingFor(db, id)).toEqual([]);
    expect((await eventsOf(db, id)).at(-1)).toBe("deleted: Deleted: no call can start any more.");
  });

  it("I-17, F14: delete with node and brokers gone ends after the drain limit, and says what it could not confirm", async () => {
    const db = await world.database();
    const brokers = new FakeBrokers();
    const replica = await world.replica(db, { brokers });
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    const kept = await insertMapping(db);
    await until(async () => (await isHeld(db, id)) && (await isHeld(db, kept)));
    brokers.isAway = true;
    await node.vanish();
    await changeMapping(db, id, { state: "Deleting" });
    await disable(db, kept);
    await until(async () => (await stateOf(db, id)) === "gone");
    expect((await eventsOf(db, id)).at(-1)).toContain(`without the confirmation of ${node.nodeId}`);
    expect(await stateOf(db, kept)).toBe("Disabling");
    expect(await waitingFor(db, kept)).toEqual([node.nodeId]);
  });

  it("delete of a mapping that never started ends at once, with the brokers away", async () => {
    const db = await world.database();
    const brokers = new FakeBrokers();
    brokers.isAway = true;
    await world.replica(db, { brokers });
    const id = await insertMapping(db);
    await until(async () => (await stateOf(db, id)) === "Creating");
    await changeMapping(db, id, { state: "Deleting" });
    await until(async () => (await stateOf(db, id)) === "gone");
  });

  it("L-4: enable after disable is Enabled when an event poller has joined", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await until(() => isHeld(db, id));
    await disable(db, id);
    await until(async () => (await stateOf(db, id)) === "Disabled");
    await enable(db, id);
    await enabled(db, id);
    expect(node.runs).toEqual([`${id}/0`]);
    await until(async () => (await readMapping(db, id))?.state_reason === "USER_INITIATED");
  });

  it("Enabling that nobody can follow ends as Enabled with the problem", async () => {
    const db = await world.database();
    await world.replica(db);
    const id = await insertMapping(db, { isEnabled: false });
    await until(async () => (await stateOf(db, id)) === "Disabled");
    await enable(db, id);
    await enabled(db, id);
    expect((await readMapping(db, id))?.problem_message).toContain("No poller node is up.");
  });

  it("F97, I-17: a mapping that is disabled and enabled in quick succession ends as it was asked last", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await until(() => isHeld(db, id));
    for (let round = 0; round < 10; round++) {
      await disable(db, id);
      await enable(db, id);
    }
    await enabled(db, id);
    expect(node.runs).toEqual([`${id}/0`]);
    for (let round = 0; round < 10; round++) {
      await enable(db, id);
      await disable(db, id);
    }
    await until(async () => (await stateOf(db, id)) === "Disabled");
    expect(node.runs).toEqual([]);
    expect(await waitingFor(db, id)).toEqual([]);
  });
});
