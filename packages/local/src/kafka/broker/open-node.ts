/**
 * One broker process with its folder, its ports and, for a version that needs one and isn't given one, its ZooKeeper.
 *
 *     <dataDir>/log · broker.properties · security/ · zookeeper/
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { InvariantError, PenstockError } from "@penstock/core";
import { freePort, isPortFree } from "../../process/free-port.ts";
import { ServerProcess } from "../../process/server-process.ts";
import { findJava, javaArguments } from "../jars/java.ts";
import type { KafkaFiles } from "../jars/kafka-jars.ts";
import type { KafkaRelease } from "../kafka-versions.ts";
import type { LocalKafka, LocalKafkaOptions } from "../local-kafka.ts";
import { brokerProperties, type InternalReplication } from "./broker-properties.ts";
import { formatDataFolder, newClusterId } from "./format-data-folder.ts";
import { isBrokerReady } from "./readiness.ts";
import { securedListenerNames, secureListeners, writeIdentity } from "./secured-listeners.ts";
import { ZooKeeper } from "./zookeeper.ts";

export interface NodeOptions extends Omit<LocalKafkaOptions, "version"> {
  release: KafkaRelease;
  files: KafkaFiles;
  /** Default 1, which is the controller. */
  nodeId?: number;
  clusterId?: string;
  replication?: InternalReplication;
  /** Of the cluster; it must be started, and its port is `controllerPort`. */
  zookeeper?: ZooKeeper | undefined;
  /** How many brokers there must be before this one counts as started for the first time. */
  brokersMin?: number;
  stopLimitMs?: number;
}

const START_LIMIT_MS = 60_000;
const STOP_LIMIT_MS = 15_000;

export async function openNode(options: NodeOptions): Promise<LocalKafka> {
  const { release, files, security, nodeId = 1 } = options;
  const port = options.port ?? (await freePort());
  const controllerPort = options.controllerPort ?? (await freePort());
  const folder = resolve(options.dataDir);
  const data = join(folder, "log");
  mkdirSync(folder, { recursive: true });
  const securityFolder = join(folder, "security");
  const ports: Record<string, number> = {};
  for (const name of security ? securedListenerNames(security) : []) ports[name] = await freePort();
  const secured = security && secureListeners(security, release, ports, securityFolder);
  const properties = join(folder, "broker.properties");
  const advertised = options.advertised && {
    address: options.advertised({ nodeId, port }),
    internalPort: await freePort(),
  };
  writeFileSync(
    properties,
    brokerProperties({ ...options, advertised, secured, dataDir: data, port, controllerPort }),
  );
  const { clusterId = newClusterId(randomUUID()) } = options;
  const { checkpoint } = files;
  if (checkpoint !== undefined) formatDataFolder({ dataDir: data, checkpoint, clusterId, nodeId });

  const { pidFile, log } = options;
  const needsOwn = release.metadata === "zookeeper" && options.zookeeper === undefined;
  const zookeeperPid = pidFile && `${pidFile}.zookeeper`;
  const own = needsOwn
    ? new ZooKeeper({ files, folder, port: controllerPort, pidFile: zookeeperPid, log })
    : undefined;
  const zookeeper = options.zookeeper ?? own;
  const isController = release.metadata === "kraft" && nodeId === 1;

  async function launch(brokersMin?: number): Promise<ServerProcess> {
    for (const taken of isController ? [port, controllerPort] : [port]) {
      if (await isPortFree(taken)) continue;
      throw new PenstockError(
        "unavailable",
        `Port ${taken} for Kafka is in use by another program.`,
      );
    }
    await own?.start();
    await zookeeper?.released(nodeId);
    const launched = new ServerProcess({
      name: "Kafka",
      command: findJava(),
      arguments: javaArguments({
        files,
        mainClass: "kafka.Kafka",
        args: [properties],
        heapMb: options.heapMb ?? 128,
        jvmFlags: [...(secured?.jvmFlags ?? []), ...(options.jvmFlags ?? [])],
      }),
      cwd: folder,
      farewell: "TERM",
      stopSignal: "SIGTERM",
      stopLimitMs: options.stopLimitMs ?? STOP_LIMIT_MS,
      pidFile,
      onLine: log,
    });
    await launched.ready(() => isBrokerReady(port, nodeId, brokersMin), START_LIMIT_MS);
    return launched;
  }

  let broker: ServerProcess;
  try {
    broker = await launch(options.brokersMin);
  } catch (cause) {
    await own?.stop();
    throw cause;
  }
  return {
    version: release.version,
    nodeId,
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
    async stop() {
      await broker.stop();
      await own?.stop();
    },
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
