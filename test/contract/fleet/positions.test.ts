// Whose archived positions a node credential may read.
import { createClient } from "@connectrpc/connect";
import { fleet } from "@penstock/proto";
import {
  createRpcTransport,
  openSecurity,
  parseSettings,
  SECURITY_SETTINGS,
  SETTINGS,
} from "@penstock/runtime";
import { afterAll, afterEach, beforeAll, expect, it, onTestFinished } from "vitest";
import { bearer, CredentialsFile } from "../auth/auth-world.ts";
import { FleetWorld } from "./fleet-world.ts";
import { insertMapping, silentLog } from "./test-fleet.ts";
import { until } from "./until.ts";

let world: FleetWorld;
beforeAll(async () => {
  world = await FleetWorld.start();
});
afterEach(() => world.clear());
afterAll(() => world.stop());

const TOPIC = "0b1c2d3e-0000-4000-8000-000000000001";
const BOUND_ID = "0f8b7b0e-3c1d-4c0a-8d4e-9a5f6b7c8d9e";

async function startSecurity(file: CredentialsFile) {
  const security = await openSecurity(
    parseSettings(
      { host: SETTINGS.host, ...SECURITY_SETTINGS },
      { PENSTOCK_CREDENTIALS_FILE: file.path },
    ),
    { log: silentLog },
  );
  onTestFinished(() => {
    security.close();
    file.delete();
  });
  return security;
}

it("S-10: a credential reads positions of mappings that its own nodes have, a bound one those of its node", async () => {
  const file = new CredentialsFile();
  file.put("pollers", "roles: [node], service: poller");
  file.put("others", "roles: [node], service: poller");
  file.put("bound", `roles: [node], service: poller, node_id: ${BOUND_ID}`);
  file.write();
  const db = await world.database();
  const replica = await world.replica(db, { security: await startSecurity(file) });
  const security = (name: string) => bearer(file.token(name));
  const node = world.node(replica.address, { security: security("pollers") });
  const id = await insertMapping(db);
  await until(() => node.runs.includes(`${id}/0`));
  node.progress({
    sequence: 1n,
    partitions: [{ mappingId: id, topicId: TOPIC, assignmentEpoch: 1, committedOffset: 10n }],
  });
  await until(() => node.progressStored === 1n);
  const ask = async (name: string) => {
    const transport = createRpcTransport({
      address: replica.address,
      security: security(name),
    });
    onTestFinished(() => transport.close());
    const client = createClient(fleet.FleetService, transport);
    const { positions } = await client.getPositions({
      ...{ mappingId: id, topicId: TOPIC, partitions: [0] },
    });
    return positions.map((one) => one.committedOffset);
  };
  expect(await ask("pollers")).toEqual([10n]);
  for (const name of ["others", "bound"]) {
    await expect(ask(name)).rejects.toMatchObject({ code: 5 });
  }
  const bound = world.node(replica.address, { nodeId: BOUND_ID, security: security("bound") });
  await until(() => bound.assignments !== null);
  await expect(ask("bound")).rejects.toMatchObject({ code: 5 });
  node.drain();
  await until(() => bound.runs.includes(`${id}/0`));
  expect(await ask("bound")).toEqual([10n]);
});
