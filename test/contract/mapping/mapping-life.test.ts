import { mapping } from "@penstock/proto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sharedTestPostgres, type TestDatabases, until } from "../postgres/test-postgres.ts";
import {
  createRequest,
  putFunction,
  source,
  startTestMappingService,
  type TestMappingService,
} from "./test-mapping-service.ts";

let postgres: TestDatabases;
let world: TestMappingService;

beforeAll(async () => {
  postgres = await sharedTestPostgres();
  world = await startTestMappingService(await postgres.emptyUrl(), {
    env: { PENSTOCK_DRAIN_LIMIT_MS: "200", PENSTOCK_ALLOW_PRIVATE_ADDRESSES: "true" },
  });
  await until(async () => (await putFunction(world, "orders").catch(() => null)) !== null);
});
afterAll(async () => {
  await world.stop();
  await postgres.stop();
});

describe("a mapping whose brokers are gone", () => {
  it("I-17: stays CREATING and says why, can be deleted to the end, and its names are free again", async () => {
    const request = createRequest({ selfManagedEventSource: source("127.0.0.1:1") });
    const { eventSourceMapping } = await world.mappings.createEventSourceMapping(request);
    const uuid = eventSourceMapping?.uuid ?? "";
    const read = async () =>
      (await world.mappings.getEventSourceMapping({ uuid })).eventSourceMapping;
    await until(async () => (await read())?.stateTransitionReason !== "USER_INITIATED", 30_000);
    expect((await read())?.state).toBe(mapping.MappingState.CREATING);
    const states: (mapping.MappingState | undefined)[] = [];
    const watching = (async () => {
      for await (const message of world.mappings.watchEventSourceMapping({ uuid })) {
        states.push(message.eventSourceMapping?.state);
      }
    })();
    await until(() => states.length > 0);
    await world.mappings.deleteEventSourceMapping({ uuid });
    await watching;
    expect(states.at(-1)).toBe(mapping.MappingState.DELETING);
    await expect(read()).rejects.toThrow(/does not exist/);
    await world.mappings.createEventSourceMapping(request);
  });
});
