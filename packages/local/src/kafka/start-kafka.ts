/**
 * A real Apache Kafka on this machine: one KRaft node, loopback only, ready in about a second.
 *
 * "Ready" means that a consumer group can join. The ports stay the same over {@link LocalKafka.restart}, because a
 * broker's address is part of what its clients know.
 */
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { InvariantError, PenstockError } from "@penstock/core";
import { freePort, isPortFree } from "../process/free-port.ts";
import { ServerProcess } from "../process/server-process.ts";
import { brokerProperties } from "./broker-properties.ts";
import { formatDataFolder } from "./format-data-folder.ts";
import { findJava, JVM_FLAGS } from "./java.ts";
import { ensureKafkaJars } from "./kafka-jars.ts";
import { isBrokerReady } from "./readiness.ts";
import {
  type LocalKafkaSecurity,
  type PemIdentity,
  securedListenerNames,
  secureListeners,
  writeIdentity,
} from "./secured-listeners.ts";

export interface LocalKafkaOptions {
  /** Made when missing; a folder with data is continued. */
  dataDir: string;
  /** Default: a free one. */
  port?: number | undefined;
  controllerPort?: number | undefined;
  /** Session of a group member, default 8 000 (Kafka's own: 45 000). */
  sessionTimeoutMs?: number | undefined;
  heartbeatIntervalMs?: number | undefined;
  /** Java heap in MiB, default 128: enough for functional tests; 256 with transactions under load, 1024 for benchmarks. */
  heapMb?: number | undefined;
  /** More flags for the JVM, after {@link JVM_FLAGS}. */
  jvmFlags?: readonly string[] | undefined;
  extraProperties?: Readonly<Record<string, string | number | boolean>> | undefined;
  /** TLS, SASL and ACLs, on listeners beside the plaintext one. */
  security?: LocalKafkaSecurity | undefined;
  /** Where to write down the process, so that a later run can end it if we can't. */
  pidFile?: string | undefined;
  /** Lines of the broker's own log (warnings and errors). */
  log?: ((line: string) => void) | undefined;
}

export interface LocalKafka {
  /** `127.0.0.1:<port>` */
  readonly bootstrapServers: string;
  readonly port: number;
  /** `127.0.0.1:<port>` of a secured listener: SASL_TLS, MUTUAL_TLS, SASL_PLAINTEXT, or one of `moreListeners`. */
  listener(name: string): string;
  /**
   * Writes an identity for a TLS listener to a new file and returns its path; shown by new connections once the broker's setting
   * `listener.name.<name>.ssl.keystore.location` is that path.
   */
  writeIdentity(identity: PemIdentity): string;
  /** Id of the current process. */
  readonly pid: number;
  /** Settles when the current process has ended, for whatever reason. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
  /** SIGKILL; settles when the process is gone. */
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Stops if running, starts on the same ports and data, waits until ready. */
  restart(): Promise<void>;
}

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;
const PORT_ATTEMPTS_MAX = 5;

export async function startKafka(options: LocalKafkaOptions): Promise<LocalKafka> {
  for (let attempt = 1; ; attempt++) {
    const port = options.port ?? (await freePort());
    const controllerPort = options.controllerPort ?? (await freePort());
    try {
      return await startOn(options, port, controllerPort);
    } catch (cause) {
      // A port that we picked can be taken by somebody else before the broker binds it.
      const isFixed = options.port !== undefined;
      const isTaken = !(await isPortFree(port)) || !(await isPortFree(controllerPort));
      if (isFixed || !isTaken || attempt === PORT_ATTEMPTS_MAX) throw cause;
    }
  }
}

async function startOn(
  options: LocalKafkaOptions,
  port: number,
  controllerPort: number,
): Promise<LocalKafka> {
  const files = await ensureKafkaJars(options.log);
  const java = findJava();
  const folder = resolve(options.dataDir);
  const data = join(folder, "log");
  mkdirSync(folder, { recursive: true });
  const { security } = options;
  const securityFolder = join(folder, "security");
  const ports: Record<string, number> = {};
  for (const name of security ? securedListenerNames(security) : []) ports[name] = await freePort();
  const secured = security && secureListeners(security, ports, securityFolder);
  const properties = join(folder, "broker.properties");
  writeFileSync(
    properties,
    brokerProperties({ ...options, secured, dataDir: data, port, controllerPort }),
  );
  formatDataFolder(data, files.checkpoint);

  async function launch(): Promise<ServerProcess> {
    for (const taken of [port, controllerPort]) {
      if (await isPortFree(taken)) continue;
      throw new PenstockError(
        "unavailable",
        `Port ${taken} for Kafka is in use by another program.`,
      );
    }
    const launched = new ServerProcess({
      name: "Kafka",
      command: java,
      arguments: [
        ...JVM_FLAGS,
        "-XX:-UsePerfData",
        ...(secured?.jvmFlags ?? []),
        ...(options.jvmFlags ?? []),
        `-Xmx${options.heapMb ?? 128}m`,
        ...(files.classDataArchive ? [`-XX:SharedArchiveFile=${files.classDataArchive}`] : []),
        ...["-Xshare:auto", "-cp", files.classPath, "kafka.Kafka", properties],
      ],
      cwd: folder,
      farewell: "TERM",
      stopSignal: "SIGTERM",
      stopLimitMs: STOP_LIMIT_MS,
      pidFile: options.pidFile,
      onLine: options.log,
    });
    await launched.ready(() => isBrokerReady(port), START_LIMIT_MS);
    return launched;
  }

  let broker = await launch();
  return {
    bootstrapServers: `127.0.0.1:${port}`,
    port,
    listener(name) {
      const securedPort = ports[name];
      if (securedPort === undefined) throw new InvariantError(`no listener ${name}`);
      return `127.0.0.1:${securedPort}`;
    },
    writeIdentity: (identity) => writeIdentity(securityFolder, identity),
    get pid() {
      return broker.pid;
    },
    get exited() {
      return broker.exited;
    },
    stop: () => broker.stop(),
    async kill() {
      broker.kill();
      await broker.exited;
    },
    pause: () => broker.pause(),
    resume: () => broker.resume(),
    async restart() {
      await broker.stop();
      broker = await launch();
    },
  };
}
