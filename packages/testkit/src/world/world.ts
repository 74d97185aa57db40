import { randomUUID } from "node:crypto";
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { type Client, createClient } from "@connectrpc/connect";
import { createAdmin, type KafkaAdmin } from "@penstock/kafka";
import { mapping } from "@penstock/proto";
import { createRpcTransport } from "@penstock/runtime";
import { plantedSecret } from "../canary/canary.ts";
import { keepAnswers } from "../canary/keep-answers.ts";
import { keptFile } from "../canary/run-folder.ts";
import { checkRun } from "../checkers/check-run.ts";
import { type PollerEvent, readHistories } from "../history/poller-event.ts";
import { waitUntil } from "../wait-until.ts";
import { ServiceProcess } from "./service-process.ts";
import { TestFunction } from "./test-function.ts";
import { TopicWriter } from "./topic-writer.ts";

export interface WorldOptions {
  /** Bootstrap servers of a running Kafka. */
  readonly kafka: string;
  /** A database of its own. */
  readonly databaseUrl: string;
  /** Default 1. */
  readonly partitions?: number;
  /** Poller processes; default 1. */
  readonly pollers?: number;
  /** Invoker processes; default 1. 0: pollers embed theirs. */
  readonly invokers?: number;
  /** All services in one process; pollers and invokers of their own are 0 then. */
  readonly isStandalone?: boolean;
  /** Settings of every service. */
  readonly env?: Readonly<Record<string, string>>;
  /** Default 5 s: a call whose invoker was killed is made again only after it. */
  readonly functionTimeoutMs?: number;
  /** Settings of the mapping; `null` creates none. */
  readonly mapping?: MappingOptions | null;
  /** Brokers as the mapping names them, when a proxy stands before them. */
  readonly bootstrapServers?: string;
}

export interface MappingOptions {
  /** Default: the world's function. */
  readonly functionName?: string;
  readonly batchSize?: number;
  readonly windowMs?: number;
  readonly minimumPollers?: number;
  readonly startingPosition?: mapping.StartingPosition;
  /** With AT_TIMESTAMP. */
  readonly startingTimestampMs?: number;
  readonly filters?: readonly string[];
  readonly consumerGroupId?: string;
}

/**
 * A whole Penstock as processes, a topic, an HTTP function that records what it gets, and a mapping between them. Everything it starts, it
 * ends: `stop` fails when a service does not end cleanly.
 */
export class World {
  readonly topic = `topic-${randomUUID()}`;
  readonly folder = mkdtempSync(join(tmpdir(), "penstock-world-"));
  readonly function: TestFunction;
  readonly admin: KafkaAdmin;
  readonly writer: TopicWriter;
  readonly pollers: ServiceProcess[] = [];
  readonly invokers: ServiceProcess[] = [];
  mappingService!: ServiceProcess;
  mappings!: Client<typeof mapping.MappingService>;
  functions!: Client<typeof mapping.FunctionService>;
  mappingId = "";
  readonly #options: WorldOptions;
  readonly #histories: string[] = [];

  private constructor(options: WorldOptions, target: TestFunction, writer: TopicWriter) {
    this.#options = options;
    this.function = target;
    this.writer = writer;
    this.admin = createAdmin({ bootstrapServers: options.kafka.split(",") });
  }

  static async start(options: WorldOptions): Promise<World> {
    const target = await TestFunction.start();
    const writer = await TopicWriter.connect(options.kafka);
    const world = new World(options, target, writer);
    try {
      await world.#start();
    } catch (error) {
      await world.stop({ isForced: true });
      throw error;
    }
    return world;
  }

  async #start(): Promise<void> {
    const { partitions = 1, isStandalone = false } = this.#options;
    const { pollers = 1, invokers = 1 } = isStandalone
      ? { pollers: 0, invokers: 0 }
      : this.#options;
    await this.admin.createTopic(this.topic, { partitions });
    await this.startMappingService();
    await Promise.all([
      ...Array.from({ length: invokers }, () => this.addInvoker()),
      ...Array.from({ length: pollers }, () => this.addPoller()),
    ]);
    await this.functions.putFunction({
      function: {
        name: "f",
        target: {
          case: "http",
          value: { url: this.function.url, headers: { "x-api-key": plantedSecret("header") } },
        },
        timeout: duration(this.#options.functionTimeoutMs ?? 5000),
      },
    });
    if (this.#options.mapping !== null) {
      this.mappingId = await this.createMapping(this.#options.mapping ?? {});
    }
  }

  /** Starts (again) the mapping service, on the port that the others know. */
  async startMappingService(): Promise<void> {
    const port = this.mappingService === undefined ? "0" : portOf(this.mappingService.ready.grpc);
    const env = {
      ...this.#env(),
      DATABASE_URL: this.#options.databaseUrl,
      PENSTOCK_MAPPING_GRPC_PORT: port,
      PENSTOCK_MAPPING_HTTP_PORT: "0",
    };
    this.mappingService = this.#options.isStandalone
      ? await ServiceProcess.start("standalone", { ...env, ...FREE_PORTS, ...this.#history() })
      : await ServiceProcess.start("mapping", env);
    const transport = createRpcTransport({ address: this.mappingService.ready.grpc });
    this.mappings = createClient(mapping.MappingService, transport);
    this.functions = createClient(mapping.FunctionService, transport);
    await waitUntil("the mapping service has its database", async () => {
      await this.functions.listFunctions({});
      return true;
    });
  }

  async addPoller(env: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const poller = await ServiceProcess.start("poller", {
      ...this.#env(),
      ...FREE_PORTS,
      ...this.#history(),
      PENSTOCK_MAPPING_SERVICE: this.mappingService.ready.grpc,
      ...(this.#options.invokers === 0 && { PENSTOCK_INVOKER: "embedded" }),
      ...env,
    });
    this.pollers.push(poller);
    return poller;
  }

  async addInvoker(env: Readonly<Record<string, string>> = {}): Promise<ServiceProcess> {
    const invoker = await ServiceProcess.start("invoker", {
      ...this.#env(),
      ...FREE_PORTS,
      PENSTOCK_MAPPING_SERVICE: this.mappingService.ready.grpc,
      ...env,
    });
    this.invokers.push(invoker);
    return invoker;
  }

  /** Creates a mapping of the topic to the test function and waits until it is enabled. */
  async createMapping(options: MappingOptions, topic = this.topic): Promise<string> {
    const { eventSourceMapping } = await this.mappings.createEventSourceMapping({
      functionName: options.functionName ?? "f",
      topics: [topic],
      selfManagedEventSource: {
        endpoints: {
          kafkaBootstrapServers: (this.#options.bootstrapServers ?? this.#options.kafka).split(","),
        },
      },
      batchSize: options.batchSize ?? 100,
      maximumBatchingWindow: duration(options.windowMs ?? 20),
      startingPosition: options.startingPosition ?? mapping.StartingPosition.TRIM_HORIZON,
      ...(options.startingTimestampMs !== undefined && {
        startingPositionTimestamp: timestampFromMs(options.startingTimestampMs),
      }),
      provisionedPollerConfig: { minimumPollers: options.minimumPollers ?? 1 },
      ...(options.filters && {
        filterCriteria: { filters: options.filters.map((pattern) => ({ pattern })) },
      }),
      ...(options.consumerGroupId && {
        selfManagedKafkaEventSourceConfig: { consumerGroupId: options.consumerGroupId },
      }),
    });
    const uuid = eventSourceMapping?.uuid ?? "";
    await this.waitForState(uuid, mapping.MappingState.ENABLED);
    return uuid;
  }

  async get(uuid = this.mappingId): Promise<mapping.EventSourceMapping> {
    const { eventSourceMapping } = await this.mappings.getEventSourceMapping({ uuid });
    if (eventSourceMapping === undefined) throw new Error("an answer without a mapping");
    return eventSourceMapping;
  }

  async waitForState(uuid: string, state: mapping.MappingState, timeoutMs = 30_000): Promise<void> {
    await waitUntil(
      `mapping ${uuid} is in state ${state}`,
      async () => (await this.get(uuid)).state === state,
      timeoutMs,
    );
  }

  /** Waits until the group's committed offsets are at the end of the log, in every partition. */
  async drain(timeoutMs = 60_000, topic = this.topic, uuid = this.mappingId): Promise<void> {
    const { selfManagedKafkaEventSourceConfig: config } = await this.get(uuid);
    const groupId = config?.consumerGroupId ?? uuid;
    await waitUntil(
      "everything is committed",
      async () => {
        const ends = await this.admin.listOffsets(topic, "latest");
        const committed = await this.admin.committedOffsets(groupId, topic);
        const open = [...ends].filter(
          ([partition, { offset }]) => (committed.get(partition)?.offset ?? -1n) !== offset,
        );
        return open.length === 0;
      },
      timeoutMs,
    );
  }

  events(): PollerEvent[] {
    return readHistories(this.#histories);
  }

  /** Every check of the data path over what the function and the pollers saw. */
  check(gaps?: ReadonlyMap<string, ReadonlySet<number>>): void {
    checkRun({
      expected: this.writer.sent(this.topic),
      deliveries: this.function.deliveries,
      events: this.events(),
      ...(gaps && { gaps }),
    });
  }

  /** SIGTERM to every service that still runs; throws when one does not exit with 0. */
  async stop({ isForced = false }: { isForced?: boolean } = {}): Promise<void> {
    const codes: string[] = [];
    const end = async (services: readonly ServiceProcess[]): Promise<void> => {
      await Promise.all(
        services.map(async (service) => {
          if (service.hasEnded) return;
          service.resume();
          if (isForced) await service.kill();
          else {
            const code = await service.stop();
            if (code !== 0)
              codes.push(`${service.name}: ${code}\n${service.logLines.slice(-5).join("\n")}`);
          }
        }),
      );
    };
    if (this.mappingService?.hasEnded === false && !isForced)
      await keepAnswers(this.mappingService, this);
    await end(this.pollers);
    await end(this.invokers);
    if (this.mappingService !== undefined) await end([this.mappingService]);
    await Promise.all([this.function.stop(), this.writer.close(), this.admin.close()]);
    const kept = keptFile("worlds", "world");
    if (kept !== null) cpSync(this.folder, kept, { recursive: true });
    rmSync(this.folder, { recursive: true, force: true });
    if (codes.length > 0) throw new Error(`services did not end with 0: ${codes.join("; ")}`);
  }

  /** A history file for one more poller. */
  #history(): Record<string, string> {
    const file = join(this.folder, `poller-${this.#histories.length}.jsonl`);
    this.#histories.push(file);
    return { PENSTOCK_HISTORY_FILE: file };
  }

  #env(): Record<string, string> {
    return {
      PENSTOCK_ALLOW_PRIVATE_ADDRESSES: "true",
      PENSTOCK_DATA_DIR: join(this.folder, "data"),
      PENSTOCK_NODE_VANISHED_MS: "5000",
      PENSTOCK_DRAIN_LIMIT_MS: "10000",
      PENSTOCK_SHUTDOWN_DEADLINE_MS: "15000",
      ...this.#options.env,
    };
  }
}

const FREE_PORTS = {
  PENSTOCK_POLLER_GRPC_PORT: "0",
  PENSTOCK_POLLER_HTTP_PORT: "0",
  PENSTOCK_INVOKER_GRPC_PORT: "0",
  PENSTOCK_INVOKER_HTTP_PORT: "0",
};

function portOf(address: string): string {
  return address.slice(address.lastIndexOf(":") + 1);
}

function duration(ms: number): { seconds: bigint; nanos: number } {
  return { seconds: BigInt(Math.floor(ms / 1000)), nanos: (ms % 1000) * 1_000_000 };
}
