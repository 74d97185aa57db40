import { mapping } from "@penstock/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { type ApiWorld, codeOf, failure, startApiWorld } from "./api-world.ts";

const { MappingState } = mapping;
let world: ApiWorld;

beforeAll(async () => {
  world = await startApiWorld();
});
afterAll(() => world.stop());

const arnOf = (uuid: string) =>
  `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${uuid}`;
const tagsOf = async (uuid: string) =>
  (await world.mappings.listTags({ resource: arnOf(uuid) })).tags;
const numbered = (from: number, to: number) =>
  Object.fromEntries(Array.from({ length: to - from }, (_, i) => [`key-${from + i}`, `${i}`]));

describe("tags", () => {
  it("are set at create, added, replaced and removed; they change neither revision nor etag", async () => {
    const { uuid, etag } = await world.createMapping({ tags: { team: "a", stage: "test" } });
    expect(await tagsOf(uuid)).toEqual({ team: "a", stage: "test" });
    const resource = arnOf(uuid);
    await world.mappings.tagResource({ resource, tags: { team: "b", empty: "" } });
    expect(await tagsOf(uuid)).toEqual({ team: "b", stage: "test", empty: "" });
    await world.mappings.untagResource({ resource, tagKeys: ["stage", "never-there"] });
    await world.mappings.untagResource({ resource, tagKeys: ["never-there"] });
    expect(await tagsOf(uuid)).toEqual({ team: "b", empty: "" });
    expect(await world.read(uuid)).toMatchObject({ etag, revision: 1n });
  });

  it("S-16: are text, whatever they are named", async () => {
    const { uuid } = await world.createMapping();
    const tags = JSON.parse('{"__proto__":"x","constructor":"y"}') as Record<string, string>;
    await world.mappings.tagResource({ resource: arnOf(uuid), tags });
    expect(Object.entries(await tagsOf(uuid)).sort()).toEqual(Object.entries(tags).sort());
  });

  it("I-14: are at most 50, also when two callers add at once", async () => {
    const { uuid } = await world.createMapping({ tags: numbered(0, 40) });
    const resource = arnOf(uuid);
    const codes = await Promise.all(
      [numbered(40, 50), numbered(50, 60)].map((tags) =>
        codeOf(world.mappings.tagResource({ resource, tags })),
      ),
    );
    expect(codes.toSorted()).toEqual(["InvalidArgument", "ok"]);
    expect(Object.keys(await tagsOf(uuid))).toHaveLength(50);
    await world.mappings.tagResource({ resource, tags: numbered(0, 10) });
  });

  it("of what is not there is NOT_FOUND in AWS's words", async () => {
    const resource = arnOf(crypto.randomUUID());
    for (const call of [
      () => world.mappings.listTags({ resource }),
      () => world.mappings.tagResource({ resource, tags: { a: "b" } }),
      () => world.mappings.untagResource({ resource, tagKeys: ["a"] }),
    ]) {
      expect((await failure(call())).rawMessage).toBe(
        `Event source mapping not found: ${resource}`,
      );
    }
    expect(await codeOf(world.mappings.listTags({ resource: "not an arn" }))).toBe(
      "InvalidArgument",
    );
  });

  it("go with their mapping", async () => {
    const { uuid } = await world.createMapping({ tags: { a: "b" } });
    await world.db.sql`delete from mappings where id = ${uuid}`;
    expect(await world.db.sql`select * from mapping_tags where mapping_id = ${uuid}`).toEqual([]);
  });
});

describe("ListEventSourceMappingEvents", () => {
  it("says what happened, who did it and what became of the state, newest first", async () => {
    const { uuid } = await world.createMapping();
    await world.setState(uuid, "Enabled");
    await world.mappings.updateEventSourceMapping({ uuid, batchSize: 3 });
    await world.mappings.updateEventSourceMapping({ uuid, batchSize: 3 });
    await world.mappings.tagResource({ resource: arnOf(uuid), tags: { a: "b" } });
    await world.mappings.deleteEventSourceMapping({ uuid });
    const { events } = await world.mappings.listEventSourceMappingEvents({ uuid });
    expect(events.map(({ kind }) => kind)).toEqual(["deleting", "tagged", "updated", "created"]);
    expect(events[2]).toMatchObject({
      actor: "anonymous",
      message: "Changed: batchSize.",
      stateBefore: MappingState.ENABLED,
      stateAfter: MappingState.UPDATING,
    });
    expect(events[1]?.stateAfter).toBe(MappingState.UNSPECIFIED);
  });

  it("S-23: gives keyset pages that new events do not disturb, also of a mapping that is gone", async () => {
    const { uuid } = await world.createMapping();
    const add = (message: string) => world.db.sql`
      insert into mapping_events (mapping_id, kind, message) values (${uuid}, 'gap', ${message})`;
    for (let count = 0; count < 6; count++) await add(`${count}`);
    const seen: string[] = [];
    let pageToken = "";
    do {
      const page = await world.mappings.listEventSourceMappingEvents({
        uuid,
        pageSize: 3,
        pageToken,
      });
      seen.push(...page.events.map(({ message }) => message));
      pageToken = page.nextPageToken;
      await add("later");
      await world.db.sql`delete from mappings where id = ${uuid}`;
    } while (pageToken !== "");
    expect(seen.slice(0, 6)).toEqual(["5", "4", "3", "2", "1", "0"]);
    expect(seen).toHaveLength(7);
  });

  it("refuses the token of another mapping; NOT_FOUND for one that never was", async () => {
    const [one, other] = [await world.createMapping(), await world.createMapping()];
    await world.mappings.deleteEventSourceMapping({ uuid: one.uuid });
    const list = world.mappings.listEventSourceMappingEvents;
    const { nextPageToken } = await list({ uuid: one.uuid, pageSize: 1 });
    expect(nextPageToken).not.toBe("");
    const foreign = list({ uuid: other.uuid, pageToken: nextPageToken });
    expect(await codeOf(foreign)).toBe("InvalidArgument");
    expect(await codeOf(list({ uuid: crypto.randomUUID() }))).toBe("NotFound");
  });
});

describe("audit", () => {
  it("holds who did what, with what was before and after; a call that failed left no row", async () => {
    const { uuid } = await world.createSettled({ batchSize: 5 });
    await codeOf(world.mappings.updateEventSourceMapping({ uuid, batchSize: -1 }));
    await world.mappings.updateEventSourceMapping({ uuid, batchSize: 6 });
    await world.mappings.deleteEventSourceMapping({ uuid });
    const rows = await world.db.sql`
      select actor, method, outcome, before, after from audit_events where resource = ${arnOf(uuid)} order by id`;
    expect(rows.map(({ method }) => method)).toEqual([
      "CreateEventSourceMapping",
      "UpdateEventSourceMapping",
      "DeleteEventSourceMapping",
    ]);
    expect(rows[1]).toMatchObject({
      actor: "anonymous",
      outcome: "ok",
      before: { revision: "1", state: "Enabled", settings: { batchSize: 5 } },
      after: { revision: "2", state: "Updating", settings: { batchSize: 6 } },
    });
    expect(rows[0]?.before).toBeNull();
  });

  it("I-21: holds who tried a filter on samples, and for which mapping, and nothing of the samples", async () => {
    const { uuid } = await world.createSettled();
    const filterCriteria = { filters: [{ pattern: '{"value":{"canary-pattern":[1]}}' }] };
    const records = [{ value: Buffer.from('{"canary-sample":1}') }, {}];
    await world.mappings.testFilter({ uuid, filterCriteria, records });
    await world.mappings.testFilter({ filterCriteria, records });
    const rows = await world.db.sql`
      select actor, resource, outcome, before, after from audit_events where method = 'TestFilter' order by id`;
    const row = { actor: "anonymous", outcome: "ok", before: null, after: { sampleRecords: 2 } };
    expect(rows).toEqual([
      { ...row, resource: arnOf(uuid) },
      { ...row, resource: "sample records" },
    ]);
  });
});
