import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import { mapping } from "@penstock/proto";
import { createRpcTransport } from "@penstock/runtime";
import { Child } from "../stack/child.ts";
import type { Contender, Running, Task } from "./contender.ts";

const SERVICES = join(import.meta.dirname, "..", "..", "services");
const FUNCTION_NAME = "bench";
const ATTEMPTS_MAX = 20;
const AGAIN_MS = 500;

/** All three services in one process. */
export const standalone = inOneProcess("standalone", {});
/** The same with the classic group protocol, which brokers before Kafka 4.0 need. */
export const classic = inOneProcess("classic", { PENSTOCK_KAFKA_GROUP_PROTOCOL: "classic" });
/** The same with the driver for brokers that the native one can't speak to. */
export const kafkajs = inOneProcess("kafkajs driver", { PENSTOCK_KAFKA_DRIVER: "kafkajs" });

/** Three processes that talk gRPC. */
export const threeProcesses: Contender = {
  name: "three processes",
  runs: (workload) => workload.kind !== "idle",
  async start(task) {
    const env = await environment(task);
    const first = await startService("mapping", task, env);
    const others = { ...env, PENSTOCK_MAPPING_SERVICE: first.grpc };
    const invoker = await startService("invoker", task, others);
    const poller = await startService("poller", task, others);
    return running(task, [first, invoker, poller], first);
  },
};

function inOneProcess(name: string, settings: NodeJS.ProcessEnv): Contender {
  return {
    name,
    runs: () => true,
    async start(task) {
      const env = { ...(await environment(task)), ...settings };
      const only = await startService("standalone", task, env);
      return running(task, [only], only);
    },
  };
}

interface StartedService {
  readonly child: Child;
  readonly grpc: string;
}

async function startService(
  name: string,
  task: Task,
  env: NodeJS.ProcessEnv,
): Promise<StartedService> {
  const child = new Child({
    name,
    command: process.execPath,
    arguments: [...task.nodeFlags, join(SERVICES, name, "src", "main.ts")],
    env,
  });
  const line = await child.line((text) => text.includes('"msg":"ready"'));
  return { child, grpc: (JSON.parse(line) as { grpc: string }).grpc };
}

async function environment(task: Task): Promise<NodeJS.ProcessEnv> {
  const { PATH, HOME } = process.env;
  const ports = ["MAPPING", "POLLER", "INVOKER"].flatMap((service) => [
    [`PENSTOCK_${service}_GRPC_PORT`, "0"],
    [`PENSTOCK_${service}_HTTP_PORT`, "0"],
  ]);
  return {
    PATH,
    HOME,
    ...Object.fromEntries(ports),
    DATABASE_URL: await task.databaseUrl(),
    PENSTOCK_ALLOW_PRIVATE_ADDRESSES: "true",
    PENSTOCK_DATA_DIR: task.dataDir,
  };
}

function running(
  task: Task,
  services: readonly StartedService[],
  mappingService: StartedService,
): Running {
  return {
    pids: services.map(({ child }) => child.pid),
    go: () => createMapping(task, mappingService.grpc),
    lastLines: () => services.flatMap(({ child }) => child.lastLines.slice(-12)),
    async stop() {
      // The poller first: it drains through the invoker.
      for (const { child } of [...services].reverse()) await child.stop();
    },
  };
}

async function createMapping(task: Task, address: string): Promise<void> {
  const { workload } = task;
  const transport = createRpcTransport({ address });
  const functions = createClient(mapping.FunctionService, transport);
  await patiently(() =>
    functions.putFunction({
      function: {
        name: FUNCTION_NAME,
        target: { case: "http", value: { url: task.functionUrl } },
      },
    }),
  );
  await createClient(mapping.MappingService, transport).createEventSourceMapping({
    functionName: FUNCTION_NAME,
    topics: [task.topic],
    selfManagedEventSource: { endpoints: { kafkaBootstrapServers: [task.bootstrapServers] } },
    selfManagedKafkaEventSourceConfig: { consumerGroupId: task.group },
    batchSize: workload.batchSize,
    maximumBatchingWindow: { seconds: 0n, nanos: workload.windowMs * 1e6 },
    startingPosition: mapping.StartingPosition.TRIM_HORIZON,
    provisionedPollerConfig: { minimumPollers: workload.eventPollers },
  });
  transport.close();
}

/** A service that has just started may still be waiting for its database on a busy machine. */
async function patiently<T>(call: () => Promise<T>): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === ATTEMPTS_MAX || ConnectError.from(error).code !== Code.Unavailable)
        throw error;
      await delay(AGAIN_MS);
    }
  }
}
