import { assertTerm, createElection } from "@penstock/postgres";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FleetWorld } from "./fleet-world.ts";
import { enabled, insertMapping, type TestReplica } from "./test-fleet.ts";
import { until } from "./until.ts";

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start(true);
});
afterEach(() => world.clear());
afterAll(() => world.stop());

const TOPIC = "0b1c2d3e-0000-4000-8000-000000000001";

const progressOf = (mappingId: string, sequence: bigint, committedOffset: bigint) => ({
  sequence,
  partitions: [
    {
      mappingId,
      topicId: TOPIC,
      partition: 0,
      assignmentEpoch: 1,
      position: committedOffset,
      committedOffset,
      logEndOffset: 1_000n,
    },
  ],
});

describe("a database that is away", () => {
  it("I-19, F70: streams stay, nobody is declared gone, nothing moves, and progress is stored on return", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const nodes = [world.node(replica.address), world.node(replica.address)];
    const [one, two] = nodes;
    const id = await insertMapping(db, { minimumPollers: 2 });
    await until(() => nodes.every((node) => node.runs.length === 1));
    await until(async () => (await db.sql`select 1 from holdings`).length === 2);
    const before = nodes.map((node) => node.assignments?.generation);
    const received = nodes.map((node) => node.received.length);
    await world.server.kill();
    const downAtMs = performance.now();
    let sequence = 0n;
    // Longer than the vanishing time and the lease together.
    await until(() => {
      sequence++;
      one?.progress(progressOf(id, sequence, sequence));
      return performance.now() - downAtMs > 3_500;
    });
    expect(replica.isLeader()).toBe(false);
    expect(nodes.map((node) => node.isOver)).toEqual([false, false]);
    expect(nodes.map((node) => node.received.length)).toEqual(received);
    await world.server.restart();
    await until(() => replica.isLeader());
    const backAtMs = performance.now();
    await until(() => one?.progressStored === sequence);
    const stored = await db.sql<{ committed_offset: bigint }[]>`
      select committed_offset from partition_progress where mapping_id = ${id}`;
    expect(stored).toEqual([{ committed_offset: sequence }]);
    await until(() => performance.now() - backAtMs > 2_500);
    expect(nodes.map((node) => node.assignments?.generation)).toEqual(before);
    expect(two?.isOver).toBe(false);
    await enabled(db, id);
  }, 60_000);

  it("I-19, F72: a frozen database is an outage too; a node that came meanwhile is served afterwards", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db, { minimumPollers: 2 });
    await until(() => node.runs.length === 2);
    world.server.pause();
    const late = world.node(replica.address);
    try {
      await until(() => late.received.some((message) => message.case === "welcome"));
      await until(() => !replica.isLeader());
    } finally {
      world.server.resume();
    }
    await until(() => late.runs.length === 1 && node.runs.length === 1, 25_000);
    await enabled(db, id);
  }, 60_000);
});

describe("leadership", () => {
  const leadersOf = (replicas: readonly TestReplica[]) =>
    replicas.filter((replica) => replica.isLeader());

  it("F71: of two replicas one leads; the other takes over when it stops, and nodes of both are served", async () => {
    const url = await world.url();
    const [dbOne, dbTwo] = [world.open(url), world.open(url)];
    const one = await world.replica(dbOne);
    await until(() => one.isLeader());
    const two = await world.replica(dbTwo);
    const nodes = [world.node(one.address), world.node(two.address)];
    const id = await insertMapping(dbOne, { minimumPollers: 2 });
    await until(() => nodes.every((node) => node.runs.length === 1));
    expect(leadersOf([one, two])).toEqual([one]);
    await one.stop();
    await until(() => two.isLeader());
    await nodes[0]?.leave();
    const moved = world.node(two.address, { nodeId: nodes[0]?.nodeId ?? "" });
    await until(() => moved.runs.length === 1);
    expect(moved.assignments?.generation).toBe(nodes[0]?.assignments?.generation);
    const other = await insertMapping(dbTwo);
    await enabled(dbTwo, other);
    await enabled(dbTwo, id);
  });

  it("F71: a leader that is cut off from the database stops leading before the other one starts", async () => {
    const url = await world.url();
    const [dbOne, dbTwo] = [world.open(url), world.open(url)];
    const one = await world.replica(dbOne);
    await until(() => one.isLeader());
    const two = await world.replica(dbTwo);
    await dbOne.close();
    let wereBoth = false;
    await until(() => {
      wereBoth ||= one.isLeader() && two.isLeader();
      return two.isLeader();
    });
    expect(wereBoth).toBe(false);
    expect(one.isLeader()).toBe(false);
  });

  it("I-17: of two that think they lead only the one with the newer term can write", async () => {
    const db = await world.database();
    const election = createElection(db);
    const [first, second] = [crypto.randomUUID(), crypto.randomUUID()];
    const old = await election.tryAcquire(first, 1);
    await until(async () => (await election.tryAcquire(second, 60_000)) !== null);
    await expect(
      db.transaction(async (sql) => {
        await assertTerm(sql, old ?? 0n);
        await sql`insert into mapping_events (mapping_id, kind, message)
                  values (${crypto.randomUUID()}, 'x', 'x')`;
      }),
    ).rejects.toMatchObject({ code: "aborted" });
    expect(await db.sql`select 1 from mapping_events`).toEqual([]);
    expect(await election.renew(old ?? 0n, 60_000)).toBe(false);
  });

  it("asks the database fewer than fifty times a second when nothing happens", async () => {
    const db = await world.database();
    // The times that are the default.
    const settings = {
      nodeVanishedMs: 15_000,
      seenIntervalMs: 3_000,
      pollIntervalMs: 2_000,
      progressIntervalMs: 500,
      leaseMs: 6_000,
      renewIntervalMs: 2_000,
      leaderIntervalMs: 1_000,
      reloadIntervalMs: 10_000,
      topicIntervalMs: 30_000,
      shareIntervalMs: 1_000,
    };
    const replica = await world.replica(db, { settings });
    const node = world.node(replica.address);
    await insertMapping(db);
    await until(() => node.runs.length === 1);
    const transactions = async () =>
      (
        await db.sql<{ n: bigint }[]>`
          select xact_commit + xact_rollback as n from pg_stat_database
           where datname = current_database()`
      )[0]?.n ?? 0n;
    const [before, startMs] = [await transactions(), performance.now()];
    let after = before;
    await until(async () => {
      // The measurement's own statements count too: few of them.
      await new Promise((resolve) => setTimeout(resolve, 500));
      after = await transactions();
      return performance.now() - startMs > 5_000;
    });
    const seconds = (performance.now() - startMs) / 1000;
    expect(Number(after - before) / seconds).toBeLessThan(50);
  });
});
