import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Code } from "@connectrpc/connect";
import type { mapping } from "@penstock/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../postgres/test-postgres.ts";
import { type ApiWorld, failure, present, startApiWorld } from "./api-world.ts";
import { startTestMappingService, type TestMappingService } from "./test-mapping-service.ts";

const ARN = "arn:aws:kms:us-east-1:000000000000:key/filters";
const PATTERN = '{"value":{"customer":["canary-in-a-pattern"]}}';
const filterCriteria = { filters: [{ pattern: PATTERN }] } as mapping.FilterCriteria;
let world: ApiWorld;
let folder: string;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "penstock-kms-"));
  for (const name of ["1", "2"]) {
    writeFileSync(join(folder, `${name}.key`), `${randomBytes(32).toString("base64")}\n`);
  }
  world = await startApiWorld({ env: { PENSTOCK_KMS_KEYS: keysFile("keys", ["1.key"]) } });
});
afterAll(async () => {
  await world.stop();
  rmSync(folder, { recursive: true });
});

/** Newest key first; none = a file that maps nothing. */
function keysFile(name: string, [newest, ...older]: string[]): string {
  const path = join(folder, `${name}.yaml`);
  const entry = { arn: ARN, key_file: newest, older_key_files: older };
  writeFileSync(path, JSON.stringify({ keys: newest === undefined ? [] : [entry] }));
  return path;
}

/** Another replica with other keys. */
async function withKeys<T>(
  keys: string[],
  use: (replica: TestMappingService) => Promise<T>,
): Promise<T> {
  const replica = await startTestMappingService(world.databaseUrl, {
    dataDir: world.dataDir,
    env: { PENSTOCK_KMS_KEYS: keysFile(`keys-${keys.join("-")}`, keys) },
  });
  try {
    await until(async () => (await replica.functions.listFunctions({}).catch(() => 0)) !== 0);
    return await use(replica);
  } finally {
    await replica.stop();
  }
}

const readBy = async ({ mappings }: TestMappingService, uuid: string) =>
  present((await mappings.getEventSourceMapping({ uuid })).eventSourceMapping);

describe("filter criteria under a KMS key", () => {
  it("I-21: lie sealed in every table, are shown by get, create and delete, and hidden by list", async () => {
    const created = await world.createMapping({ kmsKeyArn: ARN, filterCriteria, requestId: "r-1" });
    expect(created.filterCriteria?.filters[0]?.pattern).toBe(PATTERN);
    const { uuid } = created;
    await world.setState(uuid, "Enabled");
    const updated = await world.mappings.updateEventSourceMapping({
      uuid,
      batchSize: 4,
      requestId: "r-2",
    });
    expect(updated.eventSourceMapping?.filterCriteria?.filters[0]?.pattern).toBe(PATTERN);
    expect((await world.read(uuid)).filterCriteria?.filters[0]?.pattern).toBe(PATTERN);
    const { eventSourceMappings } = await world.mappings.listEventSourceMappings({});
    const listed = eventSourceMappings.find((each) => each.uuid === uuid);
    expect([listed?.filterCriteria, listed?.kmsKeyArn]).toEqual([undefined, ARN]);
    const rows = await world.db.sql`
      select m::text || (select string_agg(e::text, '') from mapping_events e)
        || (select string_agg(a::text, '') from audit_events a)
        || (select string_agg(convert_from(response, 'utf8'), '') from api_requests) as text
        from mappings m where id = ${uuid}`;
    expect(rows[0]?.text).toContain(ARN);
    expect(rows[0]?.text).not.toContain("canary-in-a-pattern");
    const sealed = await world.db.sql<{ filter_sealed: Buffer }[]>`
      select filter_sealed from mappings where id = ${uuid}`;
    expect(sealed[0]?.filter_sealed.includes("canary")).toBe(false);
    const again = await world.mappings.updateEventSourceMapping({
      uuid,
      batchSize: 4,
      requestId: "r-2",
    });
    expect(again).toEqual(updated);
    const { eventSourceMapping } = await world.mappings.deleteEventSourceMapping({ uuid });
    expect(eventSourceMapping?.filterCriteria?.filters[0]?.pattern).toBe(PATTERN);
  });

  it("move between plain and sealed with the key, and go with the criteria", async () => {
    const { uuid } = await world.createSettled({ filterCriteria });
    const columns = async () => {
      const rows = await world.db.sql`
        select filter_patterns, filter_sealed is not null as is_sealed from mappings where id = ${uuid}`;
      return rows[0];
    };
    const update = async (changes: object) => {
      await world.mappings.updateEventSourceMapping({ uuid, ...changes });
      await world.setState(uuid, "Enabled");
    };
    expect(await columns()).toEqual({ filter_patterns: [PATTERN], is_sealed: false });
    await update({ kmsKeyArn: ARN });
    expect(await columns()).toEqual({ filter_patterns: null, is_sealed: true });
    await update({ kmsKeyArn: "" });
    expect(await columns()).toEqual({ filter_patterns: [PATTERN], is_sealed: false });
    await update({ kmsKeyArn: ARN, filterCriteria: {} });
    expect(await columns()).toEqual({ filter_patterns: null, is_sealed: false });
  });

  it("refuse a key that stands for none here", async () => {
    const kmsKeyArn = "arn:aws:kms:us-east-1:000000000000:key/unknown";
    const error = await failure(world.createMapping({ kmsKeyArn, filterCriteria }));
    expect(error.rawMessage).toMatch(/kms_key_arn|KMSKeyArn/);
  });

  it("without their key say so, stay as they are under other changes, and can be set anew", async () => {
    const { uuid } = await world.createSettled({ kmsKeyArn: ARN, filterCriteria });
    await withKeys(["2.key"], async (replica) => {
      const blind = await readBy(replica, uuid);
      expect(blind.filterCriteria).toBeUndefined();
      expect(blind.filterCriteriaError?.errorCode).toBe("KMSNotFoundException");
      const records = [{ value: Buffer.from("{}"), topic: "t" }];
      const untried = await failure(replica.mappings.testFilter({ uuid, records }));
      expect(untried.code).toBe(Code.FailedPrecondition);
      await replica.mappings.updateEventSourceMapping({ uuid, batchSize: 8 });
    });
    expect((await world.read(uuid)).filterCriteria?.filters[0]?.pattern).toBe(PATTERN);
    await world.setState(uuid, "Enabled");
    await withKeys(["2.key"], async (replica) => {
      await failure(replica.mappings.updateEventSourceMapping({ uuid, kmsKeyArn: "" }));
      const { eventSourceMapping } = await replica.mappings.updateEventSourceMapping({
        uuid,
        filterCriteria: { filters: [{ pattern: '{"key":["new"]}' }] },
      });
      expect(eventSourceMapping?.filterCriteria?.filters[0]?.pattern).toBe('{"key":["new"]}');
      expect(eventSourceMapping?.filterCriteriaError).toBeUndefined();
    });
  });

  it("sealed with an older key are readable, and a change seals them with the newest", async () => {
    const { uuid } = await world.createSettled({ kmsKeyArn: ARN, filterCriteria });
    await withKeys(["2.key", "1.key"], async (replica) => {
      expect((await readBy(replica, uuid)).filterCriteria?.filters[0]?.pattern).toBe(PATTERN);
      await replica.mappings.updateEventSourceMapping({ uuid, batchSize: 8 });
    });
    await withKeys(["2.key"], async (replica) => {
      expect((await readBy(replica, uuid)).filterCriteria?.filters[0]?.pattern).toBe(PATTERN);
    });
  });
});
