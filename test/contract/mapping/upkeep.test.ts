import { randomBytes } from "node:crypto";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { mapping } from "@penstock/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../postgres/test-postgres.ts";
import { type ApiWorld, present, startApiWorld } from "./api-world.ts";
import { startTestMappingService, type TestMappingService } from "./test-mapping-service.ts";

const ARN = "arn:aws:kms:us-east-1:000000000000:key/filters";
const filterCriteria = { filters: [{ pattern: '{"key":["a"]}' }] } as mapping.FilterCriteria;
let folder: string;
let world: ApiWorld;
let leader: TestMappingService;

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), "penstock-upkeep-"));
  for (const name of ["1", "2"]) {
    writeFileSync(join(folder, `${name}.key`), randomBytes(32).toString("base64"));
  }
  world = await startApiWorld({ env: { PENSTOCK_KMS_KEYS: keysFile("1.key") } });
});
afterAll(async () => {
  await leader.stop();
  await world.stop();
  rmSync(folder, { recursive: true });
});

function keysFile(newest: string, ...older: string[]): string {
  const path = join(folder, `${newest}-newest.yaml`);
  const entry = { arn: ARN, key_file: newest, older_key_files: older };
  writeFileSync(path, JSON.stringify({ keys: [entry] }));
  return path;
}

const LIMIT_MS = 90_000;

describe("upkeep of the leading replica", () => {
  it("removes old history, expired answers and gaps beyond 1 000 a mapping; seals filters with the newest key", async () => {
    const { sql } = world.db;
    const { uuid } = await world.createMapping({
      kmsKeyArn: ARN,
      filterCriteria,
      requestId: "kept",
    });
    await world.createMapping({ requestId: "expired" });
    await sql`update api_requests set made_at = now() - interval '25 hours' where request_id = 'expired'`;
    await sql`
      insert into mapping_events (mapping_id, at, kind, message)
      values (${uuid}, now() - interval '31 days', 'old', ''), (${uuid}, now() - interval '29 days', 'young', '')`;
    await sql`
      insert into audit_events (at, actor, method, resource, outcome)
      values (now() - interval '31 days', 'old', 'm', 'r', 'ok'), (now() - interval '29 days', 'young', 'm', 'r', 'ok')`;
    await sql`
      insert into gaps (id, mapping_id, topic_id, topic, partition, first_offset, last_offset, reason, message, found_at)
      select gen_random_uuid(), ${uuid}, gen_random_uuid(), 't', 0, n, n, 'TRUNCATED', '', now() - n * interval '1 minute'
        from generate_series(1, 1100) as n`;
    const sealed = async () => {
      const rows = await sql<{ filter_sealed: Buffer }[]>`
        select filter_sealed from mappings where id = ${uuid}`;
      return present(rows[0]).filter_sealed;
    };
    const before = await sealed();
    leader = await startTestMappingService(world.databaseUrl, {
      dataDir: world.dataDir,
      env: { PENSTOCK_KMS_KEYS: keysFile("2.key", "1.key") },
    });
    await sql`update leadership set lease_until = now()`;
    await until(async () => !(await sealed()).equals(before), LIMIT_MS);
    const left = await sql`
      select (select max(last_offset)::int from gaps) as last_gap,
             (select count(*)::int from gaps) as gaps,
             (select array_agg(kind order by kind) from mapping_events where kind in ('old', 'young')) as events,
             (select array_agg(actor order by actor) from audit_events where actor in ('old', 'young')) as audit,
             (select array_agg(request_id) from api_requests) as requests`;
    expect(left[0]).toEqual({
      last_gap: 1000,
      gaps: 1000,
      events: ["young"],
      audit: ["young"],
      requests: ["kept"],
    });
    const { eventSourceMapping } = await leader.mappings.getEventSourceMapping({ uuid });
    expect(eventSourceMapping?.filterCriteria).toMatchObject(filterCriteria);
    expect(eventSourceMapping?.revision).toBe(1n);
  }, 120_000);
});
