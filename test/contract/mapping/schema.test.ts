import type { Database } from "@penstock/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiWorld, codeOf, startApiWorld } from "./api-world.ts";

let world: ApiWorld;
let db: Database;
let uuid: string;

beforeAll(async () => {
  world = await startApiWorld();
  db = world.db;
  uuid = (await world.createSettled()).uuid;
});
afterAll(() => world.stop());

/** Changes of a good mapping that would make it impossible. */
const ILLEGAL: [string, object][] = [
  ["an unknown state", { state: "Broken" }],
  ["running, and not enabled", { state: "Enabled", is_enabled: false }],
  ["being started, and not enabled", { state: "Enabling", is_enabled: false }],
  ["stopped, and enabled", { state: "Disabled", is_enabled: true }],
  ["the group's end without its own", { deletes_consumer_group: true }],
  ["pollers without provisioned mode", { minimum_pollers: 1 }],
  [
    "more pollers at least than at most",
    { is_provisioned: true, minimum_pollers: 3, maximum_pollers: 2 },
  ],
  ["a sealed filter without a key", { filter_sealed: Buffer.of(1) }],
  [
    "a filter that is sealed and plain",
    { filter_sealed: Buffer.of(1), kms_key_arn: "a", filter_patterns: ["{}"] },
  ],
  ["an empty filter", { filter_patterns: [] }],
  ["half a problem", { problem_code: "kafkaTls" }],
  ["a metric that there is not", { metrics: ["Nonsense"] }],
  ["a log level that there is not", { system_log_level: "TRACE" }],
  ["access that is no list", { source_access: {} }],
  ["a batch of none", { batch_size: 0 }],
  ["an age of a second", { maximum_record_age_seconds: 1 }],
  ["a timestamp without AT_TIMESTAMP", { starting_position_timestamp: new Date(0) }],
  ["a revision before the first", { revision: 0n }],
  ["a function that can't be named", { function_name: "a b" }],
];

describe("the schema", () => {
  it.each(ILLEGAL)("refuses a mapping with %s", async (_, change) => {
    const query = db.sql`update mappings set ${db.sql(change)} where id = ${uuid}`;
    await expect(query).rejects.toMatchObject({ code: "internal", cause: { code: "23514" } });
  });

  it("has one consumer group, one source and one tag of a name only once", async () => {
    const other = await world.createSettled();
    const twice = [
      db.sql`update mappings set consumer_group_id = ${uuid} where id = ${other.uuid}`,
      db.sql`insert into mapping_sources select function_arn, bootstrap_server, topic, ${other.uuid}
               from mapping_sources where mapping_id = ${uuid}`,
      db.sql`insert into mapping_tags values (${uuid}, 'a', '1'), (${uuid}, 'a', '2')`,
    ];
    for (const query of twice) await expect(query).rejects.toMatchObject({ code: "conflict" });
  });
});

describe("the service", () => {
  // F77 → UNAVAILABLE, nothing of it stays, and it recovers. Method: a trigger says what Postgres says when its disk is full.
  it("F77: with the disk full answers UNAVAILABLE, leaves nothing behind, and recovers", async () => {
    await db.sql`
      create function disk_full() returns trigger language plpgsql
      as $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$`;
    await db.sql`create trigger disk_full before insert on mapping_events for each row execute function disk_full()`;
    const request = { topics: ["on-a-full-disk"], requestId: "disk-full" };
    expect(await codeOf(world.createMapping(request))).toBe("Unavailable");
    expect(await codeOf(world.mappings.deleteEventSourceMapping({ uuid }))).toBe("Unavailable");
    expect(await db.sql`select 1 from mappings where topic = 'on-a-full-disk'`).toEqual([]);
    expect((await world.read(uuid)).uuid).toBe(uuid);
    await db.sql`drop trigger disk_full on mapping_events`;
    expect(await codeOf(world.createMapping(request))).toBe("ok");
  });

  it("S-23: takes SQL in any text as text, and caps every list", async () => {
    const evil = "'; drop table mappings; --";
    const { uuid: own } = await world.createMapping({ tags: { "a:b": "or 1=1" }, requestId: evil });
    const resource = `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${own}`;
    expect((await world.mappings.listTags({ resource })).tags).toEqual({ "a:b": "or 1=1" });
    const { mappings, functions } = world;
    const calls = [
      mappings.listEventSourceMappings({ functionName: evil }),
      mappings.listEventSourceMappings({ pageToken: evil }),
      mappings.listEventSourceMappings({ pageSize: 1_000_000 }),
      mappings.listEventSourceMappingEvents({ uuid: own, pageSize: 101 }),
      mappings.listEventSourceMappingEvents({ uuid: own, pageToken: evil }),
      mappings.listTags({ resource: `${resource}${evil}` }),
      mappings.getEventSourceMapping({ uuid: `${own}${evil}` }),
      functions.listFunctions({ pageSize: 101 }),
      functions.getFunction({ name: evil }),
    ];
    for (const call of calls) expect(await codeOf(call)).toBe("InvalidArgument");
    const guarded = mappings.deleteEventSourceMapping({ uuid: own, etag: evil });
    expect(await codeOf(guarded)).toBe("Aborted");
    expect((await world.read(own)).uuid).toBe(own);
  });
});
