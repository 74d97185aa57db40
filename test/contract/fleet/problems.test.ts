import { PenstockError } from "@penstock/core";
import type { Database } from "@penstock/postgres";
import { mapping } from "@penstock/proto";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { FakeBrokers } from "./fake-brokers.ts";
import { FleetWorld } from "./fleet-world.ts";
import {
  changeMapping,
  enabled,
  insertMapping,
  type MappingRow,
  readMapping,
  stateOf,
} from "./test-fleet.ts";
import { until } from "./until.ts";

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
});
afterEach(() => world.clear());
afterAll(() => world.stop());

const shows = (db: Database, id: string, code: string | null) =>
  until(async () => {
    const row = await readMapping(db, id);
    return row !== null && row.problem_code === code;
  });
const eventsOf = async (db: Database, id: string) =>
  db.sql<{ kind: string; message: string; state_before: string; state_after: string }[]>`
    select kind, message, actor, state_before, state_after from mapping_events
     where mapping_id = ${id} order by mapping_events.id`;
const kindsOf = async (db: Database, id: string) =>
  (await eventsOf(db, id)).map(({ kind }) => kind);

describe("states", () => {
  it("I-17: every change is in the history, with who, what was before and after, and why", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    world.node(replica.address);
    const id = await insertMapping(db);
    await enabled(db, id);
    await changeMapping(db, id, { state: "Disabling", is_enabled: false });
    await until(async () => (await stateOf(db, id)) === "Disabled");
    await changeMapping(db, id, { state: "Deleting" });
    await until(async () => (await stateOf(db, id)) === "gone");
    const ofState = new Set(["stateChanged", "deleted"]);
    const events = (await eventsOf(db, id)).filter(({ kind }) => ofState.has(kind));
    expect(events).toMatchObject([
      { kind: "stateChanged", actor: "penstock", state_before: "Creating", state_after: "Enabled" },
      { kind: "stateChanged", state_before: "Disabling", state_after: "Disabled" },
      { kind: "deleted", state_before: "Deleting", state_after: null },
    ]);
    for (const { message } of events) expect(message).not.toBe("");
  });

  it("I-8: a mapping that is Enabled, Updated or Disabled without a start is pinned whenever that becomes possible", async () => {
    const db = await world.database();
    const brokers = new FakeBrokers();
    brokers.refusal = new PenstockError("kafkaAuthentication", "Kafka refused the credentials.");
    const replica = await world.replica(db, { brokers });
    const node = world.node(replica.address);
    const [running, updated, stopped] = [
      await insertMapping(db),
      await insertMapping(db),
      await insertMapping(db, { isEnabled: false }),
    ];
    await enabled(db, running);
    await enabled(db, updated);
    await until(async () => (await stateOf(db, stopped)) === "Disabled");
    await changeMapping(db, updated, { state: "Updating", batch_size: 7 });
    await enabled(db, updated);
    for (const id of [running, updated, stopped]) {
      expect(await readMapping(db, id)).toMatchObject({
        state_reason: "EVENT_SOURCE_AUTHN_ERROR",
        problem_code: "kafkaAuthentication",
        last_processing_result:
          "PROBLEM: SASL authentication failed. Kafka refused the credentials.",
      } satisfies Partial<MappingRow>);
    }
    expect(node.runs).toEqual([]);
    brokers.refusal = null;
    await until(() => node.runs.length === 2);
    for (const id of [running, updated, stopped]) await shows(db, id, null);
    expect(await stateOf(db, stopped)).toBe("Disabled");
    const pins = await db.sql`select distinct mapping_id from pinned_starts`;
    expect(pins).toHaveLength(3);
  });
});

describe("problems", () => {
  it("L-2: are shown with AWS's words and their cause, and heal, each told once in the history", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await enabled(db, id);
    const report = (code: string, message: string) =>
      node.progress({ sequence: 1n, problems: [{ mappingId: id, index: 0, code, message }] });
    report("kafkaAuthorization", "No Read on the topic.");
    await shows(db, id, "kafkaAuthorization");
    expect(await readMapping(db, id)).toMatchObject({
      state: "Enabled",
      state_reason: "EVENT_SOURCE_AUTHZ_ERROR",
      problem_message: "No Read on the topic.",
      last_processing_result: "PROBLEM: Cluster failed to authorize Lambda. No Read on the topic.",
    });
    report("", "");
    await shows(db, id, null);
    expect(await readMapping(db, id)).toMatchObject({
      state_reason: "USER_INITIATED",
      last_processing_result: "No records processed",
    });
    const events = (await eventsOf(db, id)).slice(-2);
    expect(events).toMatchObject([
      { kind: "problem", message: "No Read on the topic." },
      { kind: "healed", message: "Healed: No Read on the topic." },
    ]);
  });

  it("one that comes and goes ten times a second is written a few times", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await enabled(db, id);
    const before = (await kindsOf(db, id)).length;
    const endMs = performance.now() + 6_000;
    let reports = 0;
    await until(() => {
      reports++;
      const problem = reports % 2 === 0 ? { code: "kafkaUnavailable", message: "Away." } : {};
      const problems = [{ mappingId: id, index: 0, code: "", message: "", ...problem }];
      node.progress({ sequence: BigInt(reports), problems });
      return performance.now() > endMs;
    });
    expect(reports).toBeGreaterThan(20);
    expect((await kindsOf(db, id)).length - before).toBeLessThanOrEqual(6);
  });

  it("a function that is removed is a problem although nothing is called, until it is there again", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    world.node(replica.address);
    const id = await insertMapping(db);
    await enabled(db, id);
    const [spec] = await db.sql`delete from functions returning *`;
    await shows(db, id, "functionMissing");
    expect((await readMapping(db, id))?.state_reason).toBe("FUNCTION_CONFIG_NOT_VALID");
    await db.sql`insert into functions ${db.sql(spec ?? {})}`;
    await shows(db, id, null);
  });

  it("a mapping whose event pollers have all gone says so, and heals when a node comes", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const id = await insertMapping(db);
    await enabled(db, id);
    await node.vanish();
    await shows(db, id, "unavailable");
    expect((await readMapping(db, id))?.problem_message).toContain("No poller node is up.");
    world.node(replica.address);
    await shows(db, id, null);
  });

  it("a filter that can't be decrypted keeps the mapping from running unfiltered", async () => {
    const db = await world.database();
    const filters = {
      isReadable: false,
      open: () =>
        filters.isReadable
          ? { patterns: ['{"key":["a"]}'], error: null }
          : { patterns: null, error: { code: "KMSNotFoundException", message: "No such key." } },
    };
    const replica = await world.replica(db, { filters });
    const node = world.node(replica.address);
    const id = await insertMapping(db, { sealedFilter: Buffer.of(1, 2, 3) });
    await shows(db, id, "filterUndecryptable");
    await enabled(db, id);
    expect(node.runs).toEqual([]);
    filters.isReadable = true;
    await changeMapping(db, id, { state: "Updating", batch_size: 7 });
    await until(() => node.runs.length === 1);
    expect(node.assignments?.eventPollers[0]?.filterPatterns).toEqual(['{"key":["a"]}']);
    await shows(db, id, null);
  });
});

describe("assignments", () => {
  it("S-12: carry how to authenticate to the brokers: references, never what is behind them", async () => {
    const db = await world.database();
    const replica = await world.replica(db);
    const node = world.node(replica.address);
    const uri = "file:login";
    await insertMapping(db, { sourceAccess: [{ type: "SASL_SCRAM_512_AUTH", uri }] });
    await until(() => node.runs.length === 1);
    expect(node.assignments?.eventPollers[0]?.sourceAccessConfigurations).toMatchObject([
      { type: mapping.SourceAccessType.SASL_SCRAM_512_AUTH, uri },
    ]);
  });
});

describe("the consumer group of a deleted mapping", () => {
  const started = async (db: Database, brokers: FakeBrokers) => {
    const replica = await world.replica(db, { brokers });
    world.node(replica.address);
    const id = await insertMapping(db);
    await enabled(db, id);
    return id;
  };
  const remove = async (db: Database, id: string, deletes_consumer_group: boolean) => {
    await changeMapping(db, id, { state: "Deleting", deletes_consumer_group });
    await until(async () => (await stateOf(db, id)) === "gone");
  };

  it("is deleted when that was asked for, and never otherwise", async () => {
    const db = await world.database();
    const brokers = new FakeBrokers();
    const kept = await started(db, brokers);
    const unwanted = await started(db, brokers);
    for (const id of [kept, unwanted]) {
      brokers.groups.set(id, []);
      await remove(db, id, id === unwanted);
    }
    expect(brokers.deleted).toEqual([unwanted]);
    expect(await kindsOf(db, kept)).not.toContain("consumerGroup");
    expect((await eventsOf(db, unwanted)).at(-2)).toMatchObject({
      kind: "consumerGroup",
      message: `The consumer group ${unwanted} is deleted with its offsets.`,
    });
  });

  it("I-17: is left when somebody is in it or the brokers are gone; the mapping goes all the same, and says so", async () => {
    const db = await world.database();
    const brokers = new FakeBrokers();
    const used = await started(db, brokers);
    brokers.groups.set(used, [{ memberId: "x", clientId: "foreign" }]);
    await remove(db, used, true);
    const lost = await started(db, brokers);
    brokers.isAway = true;
    await remove(db, lost, true);
    expect(brokers.deleted).toEqual([]);
    for (const [id, why] of [
      [used, "has members"],
      [lost, "No broker can be reached"],
    ] as const) {
      const told = (await eventsOf(db, id)).find(({ kind }) => kind === "consumerGroup");
      expect(told?.message).toMatch(new RegExp(`was not deleted: .*${why}`));
    }
  });
});
