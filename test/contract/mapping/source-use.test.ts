import { mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mapping } from "@penstock/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { until } from "../postgres/test-postgres.ts";
import { type ApiWorld, startApiWorld } from "./api-world.ts";
import { putFunction } from "./test-mapping-service.ts";

const secretsDir = mkdtempSync(join(tmpdir(), "penstock-secrets-"));
let world: ApiWorld;

/** Whose secret it is, from now on. */
function allowTo(...subjects: string[]): void {
  const policy = join(secretsDir, "orders.policy.yaml");
  writeFileSync(`${policy}.new`, JSON.stringify({ brokers: ["127.0.0.1:9092"], subjects }));
  renameSync(`${policy}.new`, policy);
}

const access = [{ type: mapping.SourceAccessType.SASL_SCRAM_512_AUTH, uri: "file:orders" }];

beforeAll(async () => {
  writeFileSync(join(secretsDir, "orders"), JSON.stringify({ username: "u", password: "p" }));
  allowTo("anonymous");
  world = await startApiWorld({ env: { PENSTOCK_SECRETS_DIR: secretsDir } });
  await putFunction(world, "elsewhere");
});
afterAll(async () => {
  await world.stop();
  rmSync(secretsDir, { recursive: true, force: true });
});

async function refusals(method: string): Promise<number> {
  const rows = await world.db.sql<{ count: number }[]>`
    select count(*)::int as count from audit_events
     where method = ${method} and outcome = 'secretDenied' and actor = 'anonymous'`;
  return rows[0]?.count ?? 0;
}

describe("a caller whom the policy of a mapping's secret does not name", () => {
  it("S-12: can't create with it, send its records elsewhere, or look at them; each try is audited", async () => {
    const { uuid } = await world.createSettled({ sourceAccessConfigurations: access as never });
    allowTo("alice");
    const create = () => world.createMapping({ sourceAccessConfigurations: access as never });
    // Policies are read again when they change.
    await until(async () => (await create().catch(String)).toString().includes("policy"));
    await expect(create()).rejects.toThrow(/policy/);
    expect(await refusals("CreateEventSourceMapping")).toBeGreaterThan(0);

    const { mappings } = world;
    const redirect = { uuid, functionName: "elsewhere" };
    await expect(mappings.updateEventSourceMapping(redirect)).rejects.toThrow(/policy/);
    expect(await refusals("UpdateEventSourceMapping")).toBe(1);
    const filters = [{ pattern: '{"value":{"x":[1]}}' }];
    await expect(mappings.testFilter({ uuid, filterCriteria: { filters } })).rejects.toThrow(
      /policy/,
    );
    expect(await refusals("TestFilter")).toBe(1);
    const { problems } = await mappings.validateEventSourceMapping({
      update: redirect,
      reachBrokers: true,
    });
    expect(problems).toMatchObject([{ code: "secretDenied" }]);
    expect(await refusals("ValidateEventSourceMapping")).toBe(1);

    const other = await mappings.updateEventSourceMapping({ uuid, batchSize: 7 });
    expect(other.eventSourceMapping?.batchSize).toBe(7);
  });
});
