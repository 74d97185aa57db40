/**
 * Several brokers on this machine as one cluster, each a process: for leaders that move, coordinators that fail over, racks, and
 * brokers that come and go.
 *
 * Node 1 is also the only controller (a ZooKeeper in versions up to 2.8 spares it that): while it is away, leaders don't move and
 * brokers don't start. A broker that was killed or paused loses its leaderships after 2 s (3 s with a ZooKeeper).
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { InvariantError, PenstockError } from "@penstock/core";
import { isAlive } from "../process/process-table.ts";
import type { InternalReplication } from "./broker/broker-properties.ts";
import { newClusterId } from "./broker/format-data-folder.ts";
import { onFreePorts } from "./broker/on-free-ports.ts";
import { openNode } from "./broker/open-node.ts";
import { listedBrokers } from "./broker/readiness.ts";
import { unregisterBroker } from "./broker/unregister-broker.ts";
import { ZooKeeper } from "./broker/zookeeper.ts";
import { ensureKafkaJars } from "./jars/kafka-jars.ts";
import { kafkaRelease } from "./kafka-versions.ts";
import type { LocalKafka, LocalKafkaOptions } from "./local-kafka.ts";

/** How long the brokers may take to learn of one that came or went. */
const NEWS_LIMIT_MS = 30_000;
const POLL_MS = 50;

export interface LocalKafkaClusterOptions
  extends Omit<LocalKafkaOptions, "dataDir" | "port" | "controllerPort" | "rack" | "pidFile"> {
  /** Default: a temporary folder that goes away with the cluster. */
  dataDir?: string;
  /** Default 3. */
  brokers?: number;
  /** One for each broker; with them, a consumer that names its rack is sent to the nearest replica (from 2.4 on). */
  racks?: readonly string[] | undefined;
  /** Of the topics of the brokers themselves. Default: a replica on up to three brokers, two of them in sync. */
  internalReplication?: InternalReplication | undefined;
}

export interface LocalKafkaCluster {
  /** Of all brokers that the cluster has now, whether they run or not. */
  readonly bootstrapServers: string;
  /** In the order of their node ids, which begin at 1. */
  readonly brokers: readonly LocalKafka[];
  /** The broker of a node id. */
  broker(nodeId: number): LocalKafka;
  /** Starts one more, under an id that no other had. Nothing moves to it by itself. */
  addBroker(options?: { rack?: string }): Promise<LocalKafka>;
  /** Stops a broker for good and takes it out of the cluster; what had its only replicas there is lost. Not node 1. */
  removeBroker(nodeId: number): Promise<void>;
  stop(): Promise<void>;
}

export async function startKafkaCluster(
  options: LocalKafkaClusterOptions = {},
): Promise<LocalKafkaCluster> {
  const { brokers: count = 3, racks, version, log } = options;
  const files = await ensureKafkaJars(log, version);
  const release = kafkaRelease(version);
  const folder = options.dataDir ?? mkdtempSync(join(tmpdir(), "penstock-cluster-"));
  const clusterId = newClusterId(randomUUID());
  const replication = options.internalReplication ?? {
    factor: Math.min(3, count),
    minIsr: Math.min(2, count),
  };
  const given = Array.from({ length: count + 1 }, () => undefined);
  try {
    return await onFreePorts(given, ([controllerPort = 0, ...ports]) =>
      startOn(controllerPort, ports),
    );
  } catch (cause) {
    removeFolder();
    throw cause;
  }

  function removeFolder(): void {
    if (options.dataDir === undefined) rmSync(folder, { recursive: true, force: true });
  }

  async function startOn(controllerPort: number, ports: readonly number[]) {
    const zookeeper =
      release.metadata === "zookeeper"
        ? new ZooKeeper({ files, folder, port: controllerPort, log })
        : undefined;
    const brokers: LocalKafka[] = [];
    let lastId = 0;
    await zookeeper?.start();

    const open = async (rack = racks?.[lastId], port?: number): Promise<void> => {
      const nodeId = ++lastId;
      const dataDir = join(folder, `broker-${nodeId}`);
      const brokersMin = nodeId > count ? 1 : count;
      const own = { rack, port, nodeId, dataDir, controllerPort, brokersMin };
      const shared = { release, files, clusterId, replication, zookeeper };
      brokers.push(await openNode({ ...options, ...shared, ...own }));
      brokers.sort((a, b) => a.nodeId - b.nodeId);
    };
    /** Waits until every broker that runs lists `nodeId`, or none does. */
    const known = async (nodeId: number, isListed: boolean): Promise<void> => {
      const deadline = performance.now() + NEWS_LIMIT_MS;
      for (const { port, pid } of brokers) {
        while (isAlive(pid) && (await listedBrokers(port)).includes(nodeId) !== isListed) {
          if (performance.now() > deadline)
            throw new PenstockError("unavailable", `Broker ${nodeId} is not known to the others.`);
          await delay(POLL_MS);
        }
      }
    };
    const find = (nodeId: number): LocalKafka => {
      const found = brokers.find((broker) => broker.nodeId === nodeId);
      if (found === undefined) throw new InvariantError(`no broker ${nodeId}`);
      return found;
    };
    const stop = async (): Promise<void> => {
      const [first, ...others] = brokers;
      for (const broker of brokers) broker.resume();
      // Data that nobody will read needs no goodbye. And without the controller a broker would wait for it in vain before it stops.
      const isController = zookeeper !== undefined || (first !== undefined && isAlive(first.pid));
      const isPolite = options.dataDir !== undefined && isController;
      const end = (broker: LocalKafka) => (isPolite ? broker.stop() : broker.kill());
      await Promise.all(others.map(end));
      if (first !== undefined) await end(first);
      await zookeeper?.stop();
    };

    const started = await Promise.allSettled(ports.map((port) => open(undefined, port)));
    const failed = started.find((one) => one.status === "rejected");
    if (failed !== undefined) {
      await stop();
      throw failed.reason;
    }
    return {
      get bootstrapServers() {
        return brokers.map((broker) => broker.bootstrapServers).join(",");
      },
      get brokers() {
        return [...brokers];
      },
      broker: find,
      async addBroker({ rack }: { rack?: string } = {}) {
        await open(rack);
        await known(lastId, true);
        return find(lastId);
      },
      async removeBroker(nodeId: number) {
        if (nodeId === 1) throw new InvariantError("node 1 is the controller");
        const broker = find(nodeId);
        await broker.stop();
        if (zookeeper === undefined) await unregisterBroker(find(1).port, nodeId);
        brokers.splice(brokers.indexOf(broker), 1);
        await known(nodeId, false);
      },
      async stop() {
        await stop();
        removeFolder();
      },
    };
  }
}
