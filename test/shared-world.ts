/** What the tests of whole flows share: a world for a whole file, a flow for each case, and what the services said when a case failed. */
import { readFileSync } from "node:fs";
import { type Client, createClient } from "@connectrpc/connect";
import { createTestDatabase } from "@penstock/local";
import { poller } from "@penstock/proto";
import { createRpcTransport } from "@penstock/runtime";
import {
  Flow,
  type FlowOptions,
  type ServiceProcess,
  World,
  type WorldOptions,
  waitUntil,
} from "@penstock/testkit";
import { afterAll, afterEach, beforeAll, inject } from "vitest";
import { kafkaSettings } from "./kafka-under-test.ts";

/** A world that takes long on a busy machine is no failure; a hang is. */
export const SETUP_MS = 180_000;

export interface SharedWorld {
  readonly world: World;
  /** Runs `use` on a flow of its own; deletes its mapping when the case succeeded. */
  flow(options: FlowOptions, use: (flow: Flow) => Promise<void>): Promise<void>;
}

/** A world without a mapping for all cases of a file. */
export function sharedWorld(
  options: Partial<WorldOptions> | (() => Promise<Partial<WorldOptions>>) = {},
): SharedWorld {
  let world: World | null = null;
  let hasFailed = false;
  beforeAll(async () => {
    const own = typeof options === "function" ? await options() : options;
    world = await World.start({
      kafka: inject("KAFKA"),
      databaseUrl: await createTestDatabase(inject("POSTGRES")),
      mapping: null,
      ...own,
      env: { ...kafkaSettings(), ...own.env },
    });
  }, SETUP_MS);
  afterEach(({ task }) => {
    if (task.result?.state !== "fail") return;
    hasFailed = true;
    if (world !== null) tellLogs(world);
  });
  afterAll(async () => {
    await world?.stop({ isForced: hasFailed });
  }, SETUP_MS);
  return {
    get world() {
      if (world === null) throw new Error("the world is not up");
      return world;
    },
    async flow(flowOptions, use) {
      const flow = await Flow.start(this.world, flowOptions);
      try {
        await use(flow);
      } catch (error) {
        await flow.function.stop();
        throw error;
      }
      await flow.close();
    },
  };
}

const pollerClients = new WeakMap<ServiceProcess, Client<typeof poller.PollerService>>();

/** PollerService of a poller process. One connection for all who ask: services end those of an address that has too many. */
export function pollerClient(service: ServiceProcess): Client<typeof poller.PollerService> {
  const known = pollerClients.get(service);
  if (known !== undefined) return known;
  const transport = createRpcTransport({ address: service.ready.grpc });
  const client = createClient(poller.PollerService, transport);
  pollerClients.set(service, client);
  return client;
}

/** All lanes of a mapping on a poller. */
export async function lanesOf(service: ServiceProcess, mappingId: string): Promise<poller.Lane[]> {
  const { eventPollers } = await pollerClient(service).describePoller({ mappingId });
  return eventPollers.flatMap(({ lanes }) => lanes);
}

const LOG_LINES = 12;

function tellLogs(world: World): void {
  for (const service of [...world.pollers, ...world.invokers, world.mappingService]) {
    const lines = service.logLines.slice(-LOG_LINES).join("\n");
    process.stderr.write(`--- ${service.name} (${service.pid})\n${lines}\n`);
  }
}

/** Both members are in the group and hold all partitions: what moves later moves because of the case. */
export async function sharedByTwo(flow: Flow): Promise<void> {
  await waitUntil(
    "two members share the partitions",
    async () => {
      const { members } = await flow.world.admin.describeGroup(flow.mappingId);
      const held = members.map(({ assignment }) =>
        assignment.reduce((sum, { partitions }) => sum + partitions.length, 0),
      );
      return held.length === 2 && held.every((count) => count === flow.partitions / 2);
    },
    60_000,
  );
  await flow.send(flow.partitions * 10);
  await flow.drain();
}

/** Lets a fault last. */
export async function last(ms: number): Promise<void> {
  const until = performance.now() + ms;
  await waitUntil(`${ms} ms have passed`, () => performance.now() >= until, ms + 10_000);
}

/** The most memory that the process ever had resident. */
export function residentPeakBytes(service: ServiceProcess): number {
  const status = readFileSync(`/proc/${service.pid}/status`, "utf8");
  return Number(/VmHWM:\s+(\d+) kB/.exec(status)?.[1]) * 1024;
}
