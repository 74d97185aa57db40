import { readFileSync, statSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { durationFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError } from "@connectrpc/connect";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sharedTestPostgres, type TestDatabases, until } from "../postgres/test-postgres.ts";
import {
  putFunction,
  startTestMappingService,
  type TestMappingService,
} from "./test-mapping-service.ts";

let postgres: TestDatabases;
let world: TestMappingService;
let databaseUrl: string;
const logged: string[] = [];
const note = (message: string, fields?: object) =>
  void logged.push(message, JSON.stringify(fields));
const log = { debug: note, info: note, warn: note, error: note, child: () => log };

beforeAll(async () => {
  postgres = await sharedTestPostgres();
  databaseUrl = await postgres.migratedUrl();
  world = await startTestMappingService(databaseUrl, { log });
  await until(() => isServing(world));
});
afterAll(async () => {
  await world.stop();
  await postgres.stop();
});

async function isServing({ functions }: TestMappingService): Promise<boolean> {
  return functions.listFunctions({}).then(
    () => true,
    () => false,
  );
}

async function codeOf(call: Promise<unknown>): Promise<Code | null> {
  return call.then(
    () => null,
    (error: unknown) => ConnectError.from(error).code,
  );
}

const get = async (name: string) => (await world.functions.getFunction({ name })).function;

describe("FunctionService", () => {
  it("stores a function whole, fills in the defaults, and counts changes", async () => {
    const first = await putFunction(world, "defaults");
    expect(first).toMatchObject({
      name: "defaults",
      timeout: { seconds: 60n, nanos: 0 },
      payloadBytesMax: 6_291_456n,
      revision: 1n,
    });
    expect(first?.maxConcurrency).toBeUndefined();
    const { function: second } = await world.functions.putFunction({
      function: {
        name: "defaults",
        target: { case: "grpc", value: { address: "h:1", tls: true } },
        timeout: durationFromMs(1_500),
        maxConcurrency: 9,
        payloadBytesMax: 2048n,
      },
    });
    expect(second).toMatchObject({
      target: { case: "grpc", value: { address: "h:1", tls: true } },
      timeout: { seconds: 1n, nanos: 500_000_000 },
      maxConcurrency: 9,
      payloadBytesMax: 2048n,
      revision: 2n,
    });
    expect(await get("defaults")).toEqual(second);
  });

  it("is idempotent: an equal put changes nothing, secrets included", async () => {
    const headers = { authorization: "Bearer same" };
    const first = await putFunction(world, "equal", headers);
    expect(await putFunction(world, "equal", headers)).toEqual(first);
    const other = await putFunction(world, "equal", { authorization: "Bearer other" });
    expect(other?.revision).toBe(2n);
  });

  it("goes on counting after a delete, so that an old revision never means a new function", async () => {
    await putFunction(world, "again");
    await world.functions.deleteFunction({ name: "again" });
    expect((await putFunction(world, "again"))?.revision).toBe(3n);
  });

  it("says NOT_FOUND and INVALID_ARGUMENT", async () => {
    expect(await codeOf(get("nobody"))).toBe(Code.NotFound);
    expect(await codeOf(world.functions.deleteFunction({ name: "nobody" }))).toBe(Code.NotFound);
    expect(await codeOf(get("a/b"))).toBe(Code.InvalidArgument);
    expect(await codeOf(world.functions.putFunction({}))).toBe(Code.InvalidArgument);
    expect(await codeOf(putFunction(world, "f", { host: "x" }))).toBe(Code.InvalidArgument);
  });

  it("S-23: lists by name, in pages", async () => {
    for (const name of ["p-1", "p-2", "P-3", "p_4"]) await putFunction(world, name);
    const names: string[] = [];
    let pageToken = "";
    do {
      const page = await world.functions.listFunctions({ pageSize: 2, pageToken });
      names.push(...page.functions.map(({ name }) => name));
      pageToken = page.nextPageToken;
    } while (pageToken !== "");
    expect(names).toEqual([...names].sort());
    expect(names.filter((name) => /^p.\d$/i.test(name))).toEqual(["P-3", "p-1", "p-2", "p_4"]);
    expect(await codeOf(world.functions.listFunctions({ pageToken: "zzz" }))).toBe(
      Code.InvalidArgument,
    );
  });

  it("F73: of many puts of a new function at once none is lost", async () => {
    await Promise.all(
      Array.from({ length: 8 }, (_, index) =>
        world.functions.putFunction({
          function: {
            name: "racy",
            target: { case: "http", value: { url: `http://h/${index}`, headers: {} } },
          },
        }),
      ),
    );
    expect((await get("racy"))?.revision).toBe(8n);
  });
});

describe("header values", () => {
  it("I-21: are never shown, not in the database in plain, not in the log", async () => {
    const put = await putFunction(world, "secret", { "x-key": "canary-value-1" });
    expect(put?.target.value).toMatchObject({ headers: { "x-key": "***" } });
    expect((await get("secret"))?.target.value).toMatchObject({ headers: { "x-key": "***" } });
    const { functions } = await world.functions.listFunctions({});
    const shown = functions.map((each) => JSON.stringify(each.target)).join();
    expect(shown).toContain("x-key");
    const bad = putFunction(world, "secret", { "x-key": "canary-value-2\n" });
    const error = await bad.catch((reason: unknown) => ConnectError.from(reason));
    expect(await dump()).toContain("x-key");
    for (const place of [shown, String(error), logged.join(), await dump()]) {
      expect(place).not.toContain("canary-value");
    }
  });

  it("are kept by ***, for the same function only", async () => {
    await putFunction(world, "kept", { "x-key": "value", "x-other": "o" });
    const same = await putFunction(world, "kept", { "x-key": "***", "x-other": "***" });
    expect(same?.revision).toBe(1n);
    const fewer = await putFunction(world, "kept", { "X-Key": "***" });
    expect(fewer).toMatchObject({
      revision: 2n,
      target: { value: { headers: { "X-Key": "***" } } },
    });
    expect(await codeOf(putFunction(world, "kept", { "x-new": "***" }))).toBe(Code.InvalidArgument);
  });

  it("are sealed with a nonce of their own each time, under a key file for its owner alone", async () => {
    await putFunction(world, "twin-a", { "x-key": "value" });
    await putFunction(world, "twin-b", { "x-key": "value" });
    const rows = await postgres.openUrl(databaseUrl).sql<{ headers_sealed: Uint8Array }[]>`
      select headers_sealed from functions where name in ('twin-a', 'twin-b')`;
    expect(rows[0]?.headers_sealed).not.toEqual(rows[1]?.headers_sealed);
    const file = join(world.dataDir, "encryption-key");
    expect(statSync(file).mode & 0o777).toBe(0o600);
    expect(Buffer.from(readFileSync(file, "utf8"), "base64")).toHaveLength(32);
  });

  it("S-16: a header named __proto__ is a header", async () => {
    const headers = Object.fromEntries([["__proto__", "value"]]);
    const code = await codeOf(putFunction(world, "proto", headers));
    if (code !== null) return expect(code).toBe(Code.InvalidArgument);
    const value = (await get("proto"))?.target.value;
    expect(Object.getPrototypeOf(value && "headers" in value ? value.headers : {})).toBe(
      Object.prototype,
    );
  });

  async function dump(): Promise<string> {
    const db = postgres.openUrl(databaseUrl);
    const tables = await db.sql<{ content: string }[]>`
      select (select string_agg(f::text, ',') from functions f)
             || (select string_agg(c::text, ',') from function_changes c)
             || coalesce((select string_agg(encode(headers_sealed, 'escape'), ',') from functions), '')
             as content`;
    return tables[0]?.content ?? "";
  }
});

describe("PENSTOCK_FUNCTIONS", () => {
  it("is registered at start, idempotently", async () => {
    const file = join(world.dataDir, "functions.yaml");
    writeFileSync(
      file,
      `functions:
         - name: from-file
           http: { url: "http://127.0.0.1:9/", headers: { authorization: "Bearer x" } }
           timeout: 1.5s
           max_concurrency: 3
         - { name: from-file-grpc, grpc: { address: "127.0.0.1:50051" } }`,
    );
    for (let times = 0; times < 2; times++) {
      const other = await startTestMappingService(databaseUrl, {
        dataDir: world.dataDir,
        env: { PENSTOCK_FUNCTIONS: file },
      });
      await until(async () => (await codeOf(get("from-file-grpc"))) === null);
      await other.stop();
    }
    expect(await get("from-file")).toMatchObject({
      timeout: { seconds: 1n, nanos: 500_000_000 },
      maxConcurrency: 3,
      revision: 1n,
      target: { case: "http", value: { headers: { authorization: "***" } } },
    });
  });

  it.each([
    ["no list", "a: 1"],
    ["an unknown field", "functions: [{ name: f, http: { url: 'http://h/' }, colour: red }]"],
    ["a bad value", "functions: [{ name: f, http: { url: 'ftp://h/' } }]"],
    [
      "a name twice",
      "functions: [{ name: f, http: &h { url: 'http://h/' } }, { name: f, http: *h }]",
    ],
    ["broken YAML", "functions: ["],
  ])("stops the start, naming the file, when it has %s", async (_, text) => {
    const file = join(world.dataDir, "bad.yaml");
    writeFileSync(file, text);
    const start = startTestMappingService(databaseUrl, {
      dataDir: world.dataDir,
      env: { PENSTOCK_FUNCTIONS: file },
    });
    await expect(start).rejects.toMatchObject({
      code: "invalidArgument",
      message: expect.stringContaining("bad.yaml"),
    });
  });
});
