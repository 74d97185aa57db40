import { createClient } from "@connectrpc/connect";
import { mapping } from "@penstock/proto";
import { createRpcTransport } from "@penstock/runtime";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../postgres/test-postgres.ts";
import { type ApiWorld, codeOf, failure, present, startApiWorld } from "./api-world.ts";
import { cutAtCommit } from "./cut-at-commit.ts";
import { createRequest, startTestMappingService } from "./test-mapping-service.ts";

let world: ApiWorld;

beforeAll(async () => {
  world = await startApiWorld();
});
afterAll(() => world.stop());

let topics = 0;
const request = (requestId: string, changes: object = {}) =>
  createRequest({ topics: [`requested-${++topics}`], requestId, ...changes });
const countOf = async (table: string, uuid: string) => {
  const { sql } = world.db;
  const rows =
    table === "events"
      ? await sql`select count(*)::int from mapping_events where mapping_id = ${uuid}`
      : await sql`select count(*)::int from audit_events where resource like ${`%${uuid}`}`;
  return rows[0]?.count;
};

describe("request_id", () => {
  it("I-17: a repeated create answers as the first did, byte for byte, whatever happened since, and has one effect", async () => {
    const once = request("create-1", { tags: { team: "a", stage: "b" } });
    const first = present((await world.mappings.createEventSourceMapping(once)).eventSourceMapping);
    await world.setState(first.uuid, "Enabled");
    await world.mappings.updateEventSourceMapping({ uuid: first.uuid, batchSize: 9 });
    const again = { ...once, tags: { stage: "b", team: "a" } };
    const second = await world.mappings.createEventSourceMapping(again);
    expect(second.eventSourceMapping).toEqual(first);
    expect(await countOf("events", first.uuid)).toBe(2);
  });

  it("with another body it is INVALID_ARGUMENT; of another method it is another one", async () => {
    const once = request("shared-id");
    const { eventSourceMapping } = await world.mappings.createEventSourceMapping(once);
    const uuid = present(eventSourceMapping).uuid;
    const error = await failure(world.mappings.createEventSourceMapping({ ...once, batchSize: 7 }));
    expect(error.rawMessage).toContain("request_id was used for another request");
    await world.setState(uuid, "Enabled");
    const update = { uuid, batchSize: 3, requestId: "shared-id" };
    const updated = await world.mappings.updateEventSourceMapping(update);
    await world.setState(uuid, "Enabled");
    expect(await world.mappings.updateEventSourceMapping(update)).toEqual(updated);
    await world.mappings.deleteEventSourceMapping({ uuid, requestId: "shared-id" });
    await world.db.sql`delete from mappings where id = ${uuid}`;
    const deleted = await world.mappings.deleteEventSourceMapping({ uuid, requestId: "shared-id" });
    expect(deleted.eventSourceMapping?.state).toBe(mapping.MappingState.DELETING);
  });

  it("a call that failed is not remembered", async () => {
    const once = request("failing", { functionName: "comes-later" });
    expect(await codeOf(world.mappings.createEventSourceMapping(once))).toBe("InvalidArgument");
    await world.functions.putFunction({
      function: { name: "comes-later", target: { case: "http", value: { url: "http://x/" } } },
    });
    expect(await codeOf(world.mappings.createEventSourceMapping(once))).toBe("ok");
  });

  it("refuses ids that are empty, too long or not printable", async () => {
    for (const bad of ["", "x".repeat(129), "a\n", "ä"]) {
      expect(await codeOf(world.mappings.createEventSourceMapping(request(bad)))).toBe(
        "InvalidArgument",
      );
    }
    expect(await codeOf(world.mappings.createEventSourceMapping(request("y".repeat(128))))).toBe(
      "ok",
    );
  });

  it("after 24 h the id is free again", async () => {
    const first = request("old");
    await world.mappings.createEventSourceMapping(first);
    await world.db.sql`
      update api_requests set made_at = now() - interval '25 hours' where request_id = 'old'`;
    expect(await codeOf(world.mappings.createEventSourceMapping(first))).toBe("AlreadyExists");
    expect(await codeOf(world.mappings.createEventSourceMapping(request("old")))).toBe("ok");
  });

  it("I-17, F73: of equal creates, updates and tags at once each has one effect and all get its answer", async () => {
    const once = request("racing");
    const created = await Promise.all(
      Array.from({ length: 8 }, () => world.mappings.createEventSourceMapping(once)),
    );
    const uuids = new Set(created.map(({ eventSourceMapping }) => eventSourceMapping?.uuid));
    expect(uuids.size).toBe(1);
    const { uuid, eventSourceMappingArn: resource } = present(created[0]?.eventSourceMapping);
    await world.setState(uuid, "Enabled");
    const update = { uuid, batchSize: 3, requestId: "racing" };
    const updated = await Promise.all(
      Array.from({ length: 8 }, () => world.mappings.updateEventSourceMapping(update)),
    );
    expect(new Set(updated.map((each) => each.eventSourceMapping?.revision))).toEqual(
      new Set([2n]),
    );
    const tag = { resource, tags: { a: "1" }, requestId: "racing" };
    await Promise.all(Array.from({ length: 8 }, () => world.mappings.tagResource(tag)));
    expect(await countOf("events", uuid)).toBe(3);
    expect(await countOf("audit", uuid)).toBe(3);
  });

  it("covers the registry: a put and a delete that are repeated have one effect", async () => {
    const put = {
      function: {
        name: "once",
        target: { case: "http" as const, value: { url: "http://x/", headers: { a: "secret-1" } } },
      },
      requestId: "put-1",
    };
    const first = await world.functions.putFunction(put);
    await world.functions.putFunction({ function: { ...put.function, maxConcurrency: 3 } });
    expect(await world.functions.putFunction(put)).toEqual(first);
    expect((await world.functions.getFunction({ name: "once" })).function?.revision).toBe(2n);
    const drop = { name: "once", requestId: "delete-1" };
    await world.functions.deleteFunction(drop);
    await world.functions.deleteFunction(drop);
    expect(await codeOf(world.functions.deleteFunction({ name: "once" }))).toBe("NotFound");
    const rows = await world.db.sql`
      select method, before::text || after::text as text from audit_events where resource = 'once'`;
    expect(rows.map(({ method }) => method)).toEqual([
      "PutFunction",
      "PutFunction",
      "DeleteFunction",
    ]);
    expect(JSON.stringify(rows)).not.toContain("secret-1");
  });
});

describe("a commit whose result is not known", () => {
  // F75. Method: a proxy before Postgres that cuts the connection at the COMMIT, before or after the server has it. The caller, who was
  // told UNAVAILABLE, asks again with the same id.
  it.each(["lost before", "done, and its answer lost"] as const)(
    "F75, I-17: %s: asked again with the same request_id there is one effect",
    async (when) => {
      const cut = await cutAtCommit(world.databaseUrl);
      const service = await startTestMappingService(cut.url, { dataDir: world.dataDir });
      await until(async () => (await service.functions.listFunctions({}).catch(() => 0)) !== 0);
      const mappings = createClient(
        mapping.MappingService,
        createRpcTransport({ address: service.service.grpc }),
      );
      const once = request(`unknown ${when}`);
      cut.next(when === "lost before" ? "drop" : "pass", once.topics[0] ?? "");
      const error = await failure(mappings.createEventSourceMapping(once));
      expect([error.code, cut.cuts()]).toEqual([14, 1]);
      await until(async () => (await service.functions.listFunctions({}).catch(() => 0)) !== 0);
      const { eventSourceMapping } = await mappings.createEventSourceMapping(once);
      const { uuid } = present(eventSourceMapping);
      expect(await countOf("events", uuid)).toBe(1);
      expect(await countOf("audit", uuid)).toBe(1);
      const rows = await world.db
        .sql`select id from mappings where topic = ${once.topics[0] ?? ""}`;
      expect(rows.map(({ id }) => id)).toEqual([uuid]);
      await service.stop();
      await cut.close();
    },
  );
});
