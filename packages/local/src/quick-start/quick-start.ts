/**
 * The quick start: a whole Penstock on one machine, with something to see.
 *
 *     Postgres, Kafka, two functions ─▶ mapping, invoker, poller ─▶ functions and mappings registered ─▶ orders
 *
 * Everything is a supervised process: it starts again when it is killed. Stopping goes backwards, so that pollers drain while the
 * rest is still there. Nothing listens beyond loopback unless the environment says so.
 */
import { rmSync } from "node:fs";
import { join, relative } from "node:path";
import { PenstockError } from "@penstock/core";
import { ensureKafkaJars } from "../kafka/jars/kafka-jars.ts";
import { endLeftovers, livingPid, pidFile, recordPid } from "../process/pid-file.ts";
import { type Part, Supervisor } from "../process/supervisor.ts";
import { GRPC_FUNCTION, HTTP_FUNCTION, putDemoFlow } from "./demo/demo-flow.ts";
import { MappingApi } from "./demo/mapping-api.ts";
import { ensureTopic, type OrderProducer, startOrderProducer } from "./demo/order-producer.ts";
import { rememberedPort, settlePorts } from "./ports.ts";
import {
  functionPart,
  kafkaPart,
  type PartFolders,
  postgresPart,
  servicePart,
} from "./quick-start-parts.ts";
import {
  type PortName,
  QUICK_START_ONLY,
  type QuickStartSettings,
} from "./quick-start-settings.ts";
import { nextCommands } from "./screen/next-commands.ts";
import { overview, type Servers } from "./screen/overview.ts";
import type { Screen } from "./screen/screen.ts";

const OWN_NAME = "quick-start";
const POLITE_END_MS = 5_000;
const KAFKA_PORT = 9092;
/** The commands to try are shown when both functions have had a delivery, or after this time. */
const COMMANDS_AFTER_MS = 15_000;

export class QuickStart {
  readonly #settings: QuickStartSettings;
  readonly #env: NodeJS.ProcessEnv;
  readonly #screen: Screen;
  readonly #folders: PartFolders;
  readonly #supervisor: Supervisor;
  readonly #stopping = new AbortController();
  readonly #awaited = new Set([HTTP_FUNCTION, GRPC_FUNCTION]);
  #producer: OrderProducer | undefined;
  #showCommands: (() => void) | undefined;
  #stopped: Promise<void> | undefined;

  constructor(settings: QuickStartSettings, env: NodeJS.ProcessEnv, screen: Screen) {
    const data = settings.dataDir;
    this.#settings = settings;
    this.#env = env;
    this.#screen = screen;
    this.#folders = { data, run: join(data, "run"), logs: join(data, "logs") };
    this.#supervisor = new Supervisor({
      events: {
        ended: (name, pid, againInMs) =>
          screen.event(name, `ended (pid ${pid}), starting again in ${againInMs} ms`),
        failed: (name, cause) => screen.event(name, `! ${(cause as Error).message}`),
        back: (name, pid) => screen.event(name, `is back (pid ${pid})`),
      },
    });
  }

  /** Settles when everything runs. Throws with a message for the user otherwise; `stop` is due in either case. */
  async start(): Promise<void> {
    await this.#takeOver();
    const ports = await settlePorts(this.#settings.ports);
    const servers = await this.#startServers(ports);
    const env = this.#serviceEnv(ports, servers.databaseUrl, servers.bootstrapServers);
    const topic = ensureTopic(servers.bootstrapServers);
    // The others join the first one: with it up they needn't try twice.
    const [first, ...others] = this.#services(env);
    if (first !== undefined) await this.#supervisor.start(first);
    await Promise.all([topic, this.#supervisor.start(...others)]);
    this.#stopping.signal.throwIfAborted();
    const api = new MappingApi(`127.0.0.1:${ports.mappingHttp}`, this.#stopping.signal);
    const { bootstrapServers } = servers;
    await putDemoFlow(api, {
      httpFunctionUrl: `http://127.0.0.1:${ports.httpFunction}/`,
      grpcFunctionAddress: `127.0.0.1:${ports.grpcFunction}`,
      bootstrapServers,
    });
    this.#stopping.signal.throwIfAborted();
    this.#showTable(ports, servers);
    this.#showCommandsLater(ports, bootstrapServers);
    this.#producer = startOrderProducer(bootstrapServers, (what) =>
      this.#screen.event("producer", what),
    );
  }

  /** Stops everything in order: producer, poller, invoker, mapping, functions, Kafka, Postgres. Safe to call again. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#stopping.abort();
    await this.#producer?.stop();
    await this.#supervisor.stop();
    const own = pidFile(this.#folders.run, OWN_NAME);
    if (livingPid(own) === process.pid) rmSync(own, { force: true });
  }

  /** Refuses to run twice on one data folder, and ends what a killed run has left. */
  async #takeOver(): Promise<void> {
    const { run, data } = this.#folders;
    const own = pidFile(run, OWN_NAME);
    const other = livingPid(own);
    if (other !== undefined && other !== process.pid) {
      throw new PenstockError(
        "unavailable",
        `A quick start with the data folder ${data} is running already (pid ${other}).`,
      );
    }
    recordPid(own, process.pid, "TERM");
    for (const { name, pid } of await endLeftovers(run, POLITE_END_MS, [OWN_NAME])) {
      this.#screen.line(`Ended ${name} (pid ${pid}), left behind by an earlier run.`);
    }
  }

  async #startServers(ports: Record<PortName, number>): Promise<Servers> {
    const { databaseUrl, bootstrapServers, postgresPort, kafkaPort } = this.#settings;
    const remembered = join(this.#folders.data, "ports.json");
    const say = (line: string): void => this.#screen.line(line);
    const parts: Part[] = [];
    let postgres: ReturnType<typeof postgresPart> | undefined;
    let kafka: ReturnType<typeof kafkaPart> | undefined;
    if (databaseUrl === undefined) {
      const port = await rememberedPort(remembered, "Postgres", postgresPort, undefined);
      postgres = postgresPart(this.#folders, port, say);
      parts.push(postgres.part);
    }
    if (bootstrapServers === undefined) {
      const port = await rememberedPort(remembered, "Kafka", kafkaPort, KAFKA_PORT);
      await ensureKafkaJars(say);
      kafka = kafkaPart(this.#folders, port);
      parts.push(kafka.part);
    }
    await this.#supervisor.start(
      ...parts,
      this.#function(HTTP_FUNCTION, "http-function.ts", ports.httpFunction),
      this.#function(GRPC_FUNCTION, "grpc-function.ts", ports.grpcFunction),
    );
    return {
      databaseUrl: databaseUrl ?? postgres?.server().url ?? "",
      bootstrapServers: bootstrapServers ?? kafka?.server().bootstrapServers ?? "",
    };
  }

  #function(name: string, file: string, port: number): Part {
    return functionPart({
      ...{ name, file, port, folders: this.#folders, env: this.#env },
      onDelivery: (line) => {
        this.#screen.event(name, line);
        this.#awaited.delete(name);
        if (this.#awaited.size === 0) this.#showCommands?.();
      },
    });
  }

  #services(env: NodeJS.ProcessEnv): Part[] {
    const names = this.#settings.isStandalone ? ["standalone"] : ["mapping", "invoker", "poller"];
    return names.map((name) =>
      servicePart({ name, folders: this.#folders, env, screen: this.#screen }),
    );
  }

  #serviceEnv(
    ports: Record<PortName, number>,
    databaseUrl: string,
    bootstrapServers: string,
  ): NodeJS.ProcessEnv {
    const given = Object.entries(this.#env).filter(([name]) => !QUICK_START_ONLY.includes(name));
    return {
      PENSTOCK_ALLOW_PRIVATE_ADDRESSES: "true",
      // One node of each kind, on this machine: no need to wait long before its successor takes over.
      PENSTOCK_NODE_VANISHED_MS: "6000",
      PENSTOCK_MAPPING_SERVICE: `127.0.0.1:${ports.mappingGrpc}`,
      // Secrets of one person on one machine: a file below this folder is enough (docs/operating/secrets.md).
      PENSTOCK_SECRETS_DIR: join(this.#settings.dataDir, "secrets"),
      PENSTOCK_SECRETS_WITHOUT_POLICY: "true",
      // Postgres has a port of its own here, which is no target for functions and brokers.
      PENSTOCK_DENIED_ADDRESSES: `*:5432,*:${URL.parse(databaseUrl)?.port || 5432}`,
      ...Object.fromEntries(given),
      DATABASE_URL: databaseUrl,
      KAFKA_BOOTSTRAP_SERVERS: bootstrapServers,
      PENSTOCK_DATA_DIR: this.#settings.dataDir,
      PENSTOCK_MAPPING_GRPC_PORT: String(ports.mappingGrpc),
      PENSTOCK_MAPPING_HTTP_PORT: String(ports.mappingHttp),
      PENSTOCK_POLLER_GRPC_PORT: String(ports.pollerGrpc),
      PENSTOCK_POLLER_HTTP_PORT: String(ports.pollerHttp),
      PENSTOCK_INVOKER_GRPC_PORT: String(ports.invokerGrpc),
      PENSTOCK_INVOKER_HTTP_PORT: String(ports.invokerHttp),
    };
  }

  #showTable(ports: Record<PortName, number>, servers: Servers): void {
    this.#screen.heading("Penstock runs");
    const pidOf = (part: string): number | undefined => this.#supervisor.pidOf(part);
    this.#screen.table(overview(this.#settings, ports, servers, pidOf));
    const folder = relative(process.cwd(), this.#folders.logs) || ".";
    this.#screen.line(`\n  Logs are in ${folder}. Ctrl-C stops everything.`);
    this.#screen.heading("Deliveries, one line for each batch");
  }

  #showCommandsLater(ports: Record<PortName, number>, bootstrapServers: string): void {
    const timer = setTimeout(() => this.#showCommands?.(), COMMANDS_AFTER_MS);
    timer.unref();
    this.#showCommands = () => {
      this.#showCommands = undefined;
      clearTimeout(timer);
      const pollerPid = this.#supervisor.pidOf(
        this.#settings.isStandalone ? "standalone" : "poller",
      );
      this.#screen.heading("To try next, in another terminal");
      for (const [why, command] of nextCommands({
        mappingGrpc: `127.0.0.1:${ports.mappingGrpc}`,
        pollerGrpc: `127.0.0.1:${ports.pollerGrpc}`,
        httpFunctionPort: ports.httpFunction,
        bootstrapServers,
        pollerPid: pollerPid ?? 0,
      })) {
        this.#screen.line(`\n# ${why}\n${command}`);
      }
      this.#screen.line();
    };
  }
}
