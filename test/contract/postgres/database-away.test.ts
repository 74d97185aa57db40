import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  createRequest,
  putFunction,
  startTestMappingService,
  type TestMappingService,
} from "../mapping/test-mapping-service.ts";
import { startTestPostgres, type TestPostgres, until } from "./test-postgres.ts";

let postgres: TestPostgres;
let world: TestMappingService | null = null;

beforeAll(async () => {
  postgres = await startTestPostgres(true);
});
afterEach(async () => {
  await world?.stop();
  world = null;
});
afterAll(() => postgres.stop());

async function start(url: string): Promise<TestMappingService> {
  world = await startTestMappingService(url);
  return world;
}

async function codeOf(call: Promise<unknown>): Promise<Code | "ok"> {
  return call.then(
    () => "ok" as const,
    (error: unknown) => ConnectError.from(error).code,
  );
}

const uuid = crypto.randomUUID();
const arn = `arn:aws:lambda:us-east-1:000000000000:event-source-mapping:${uuid}`;
/** One call of every RPC. */
const allCalls = ({ mappings, functions }: TestMappingService) => [
  mappings.createEventSourceMapping(createRequest()),
  mappings.getEventSourceMapping({ uuid }),
  mappings.listEventSourceMappings({}),
  mappings.updateEventSourceMapping({ uuid, batchSize: 3 }),
  mappings.deleteEventSourceMapping({ uuid }),
  (async () => {
    for await (const _ of mappings.watchEventSourceMapping({ uuid }));
  })(),
  mappings.listEventSourceMappingEvents({ uuid }),
  mappings.listTags({ resource: arn }),
  mappings.tagResource({ resource: arn, tags: { a: "b" } }),
  mappings.untagResource({ resource: arn, tagKeys: ["a"] }),
  functions.putFunction({
    function: { name: "f", target: { case: "http", value: { url: "http://h/" } } },
  }),
  functions.getFunction({ name: "f" }),
  functions.listFunctions({}),
  functions.deleteFunction({ name: "f" }),
];

async function isReady({ service }: TestMappingService): Promise<boolean> {
  return (await fetch(`http://${service.http}/readyz`)).ok;
}

describe("MappingService while Postgres is away", () => {
  it("F70: starts without it, answers UNAVAILABLE, and works when it is there", async () => {
    const url = await postgres.emptyUrl();
    await postgres.server.stop();
    const service = await start(url);
    const codes = await Promise.all(allCalls(service).map(codeOf));
    expect(new Set(codes)).toEqual(new Set([Code.Unavailable]));
    expect(await isReady(service)).toBe(false);
    await postgres.server.restart();
    await until(() => isReady(service));
    expect((await putFunction(service, "orders"))?.revision).toBe(1n);
  });

  it("F70: down and back while it runs: UNAVAILABLE, then as before, watches stay open", async () => {
    const url = await postgres.migratedUrl();
    const service = await start(url);
    await until(() => isReady(service));
    await putFunction(service, "orders");
    const created = await service.mappings.createEventSourceMapping(createRequest());
    const id = created.eventSourceMapping?.uuid ?? "";
    const sizes: number[] = [];
    const end = new AbortController();
    const watching = (async () => {
      const call = service.mappings.watchEventSourceMapping({ uuid: id }, { signal: end.signal });
      for await (const { eventSourceMapping } of call) {
        sizes.push(eventSourceMapping?.batchSize ?? 0);
      }
    })();
    await until(() => sizes.length === 1);
    await postgres.server.kill();
    expect(await codeOf(service.mappings.getEventSourceMapping({ uuid: id }))).toBe(
      Code.Unavailable,
    );
    await until(async () => !(await isReady(service)));
    await postgres.server.restart();
    await until(() => isReady(service));
    await postgres.openUrl(url).sql`update mappings set state = 'Enabled' where id = ${id}`;
    await service.mappings.updateEventSourceMapping({ uuid: id, batchSize: 77 });
    await until(() => sizes.includes(77));
    end.abort();
    expect(await codeOf(watching)).toBe(Code.Canceled);
  });

  it("F72: frozen: every call is UNAVAILABLE within seconds, probes answer at once; thawed, all works", async () => {
    const service = await start(await postgres.migratedUrl());
    await until(() => isReady(service));
    await Promise.all(Array.from({ length: 12 }, () => service.functions.listFunctions({})));
    postgres.server.pause();
    try {
      const begin = performance.now();
      const calls = [1, 2, 3].flatMap(() => allCalls(service));
      const codes = await Promise.all(calls.map(codeOf));
      expect(new Set(codes)).toEqual(new Set([Code.Unavailable]));
      expect(performance.now() - begin).toBeLessThan(9_000);
      const probed = performance.now();
      expect((await fetch(`http://${service.service.http}/healthz`)).status).toBe(200);
      expect(await isReady(service)).toBe(false);
      expect(performance.now() - probed).toBeLessThan(1_000);
    } finally {
      postgres.server.resume();
    }
    await until(() => isReady(service));
    expect(await codeOf(service.functions.listFunctions({}))).toBe("ok");
  });

  it("F80: stops within seconds, also with Postgres frozen", async () => {
    const service = await start(await postgres.migratedUrl());
    await until(() => isReady(service));
    postgres.server.pause();
    try {
      const pending = allCalls(service).map(codeOf);
      const begin = performance.now();
      await service.stop();
      world = null;
      expect(performance.now() - begin).toBeLessThan(9_000);
      await Promise.all(pending);
    } finally {
      postgres.server.resume();
    }
  });
});

describe("several mapping services", () => {
  it("F76: start at once on an empty database, all come up", async () => {
    const url = await postgres.emptyUrl();
    const services = await Promise.all([1, 2, 3].map(() => startTestMappingService(url)));
    try {
      for (const each of services) await until(() => isReady(each));
    } finally {
      await Promise.all(services.map((each) => each.stop()));
    }
  });
});

describe("HTTP port", () => {
  it("does the same calls as Connect JSON", async () => {
    const service = await start(await postgres.migratedUrl());
    await until(() => isReady(service));
    await putFunction(service, "orders");
    const base = `http://${service.service.http}/penstock.mapping.v1.MappingService`;
    const post = async (method: string, body: object) => {
      const response = await fetch(`${base}/${method}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(body),
      });
      return { status: response.status, body: (await response.json()) as Record<string, unknown> };
    };
    const created = await post("CreateEventSourceMapping", {
      functionName: "orders",
      selfManagedEventSource: { endpoints: { kafkaBootstrapServers: ["127.0.0.1:9092"] } },
      topics: ["orders"],
      maximumBatchingWindow: "0.250s",
    });
    expect(created.body).toMatchObject({
      eventSourceMapping: { state: "MAPPING_STATE_CREATING", maximumBatchingWindow: "0.250s" },
    });
    const missing = await post("GetEventSourceMapping", { uuid });
    expect(missing).toMatchObject({ status: 404, body: { code: "not_found" } });
    const bad = await post("GetEventSourceMapping", JSON.parse('{"uuid":"x","__proto__":{"a":1}}'));
    expect(bad.status).toBe(400);
  });
});
