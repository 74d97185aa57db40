/**
 * Several brokers on this machine as one cluster, each a process: for leaders that move, coordinators that fail over, racks, and
 * brokers that come and go.
 *
 * Node 1 is also the only controller (a ZooKeeper in versions up to 2.8 spares it that): while it is away, leaders don't move and
 * brokers don't start. A broker that was killed or paused loses its leaderships after 2 s (3 s with a ZooKeeper).
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { InvariantError } from "@penstock/core";
import type { InternalReplication } from "./broker/broker-properties.ts";
import { ClusterNodes } from "./broker/cluster-nodes.ts";
import { onFreePorts } from "./broker/on-free-ports.ts";
import { ensureKafkaJars } from "./jars/kafka-jars.ts";
import { kafkaRelease } from "./kafka-versions.ts";
import type { LocalKafka, LocalKafkaOptions } from "./local-kafka.ts";

export interface LocalKafkaClusterOptions
  extends Omit<LocalKafkaOptions, "dataDir" | "port" | "controllerPort" | "rack" | "pidFile"> {
  /** Default: a temporary folder that goes away with the cluster. */
  dataDir?: string | undefined;
  /** Default 3. */
  brokers?: number | undefined;
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
  const { brokers: count = 3, racks = [], version, log } = options;
  const files = await ensureKafkaJars(log, version);
  const isTemporary = options.dataDir === undefined;
  const folder = options.dataDir ?? mkdtempSync(join(tmpdir(), "penstock-cluster-"));
  const removeFolder = (): void => {
    if (isTemporary) rmSync(folder, { recursive: true, force: true });
  };
  const replication = options.internalReplication ?? {
    factor: Math.min(3, count),
    minIsr: Math.min(2, count),
  };
  const wanted = Array.from({ length: count + 1 }, () => undefined);
  let nodes: ClusterNodes;
  try {
    nodes = await onFreePorts(wanted, ([controllerPort = 0, ...ports]) => {
      const shared = { ...options, release: kafkaRelease(version), files, replication };
      return ClusterNodes.start({ ...shared, folder, isTemporary, controllerPort }, ports, racks);
    });
  } catch (cause) {
    removeFolder();
    throw cause;
  }
  return {
    get bootstrapServers() {
      return nodes.all.map((broker) => broker.bootstrapServers).join(",");
    },
    get brokers() {
      return nodes.all;
    },
    broker: (nodeId) => nodes.of(nodeId),
    addBroker: ({ rack } = {}) => nodes.add(rack),
    async removeBroker(nodeId) {
      if (nodeId === 1) throw new InvariantError("node 1 is the controller");
      await nodes.remove(nodeId);
    },
    async stop() {
      await nodes.stop();
      removeFolder();
    },
  };
}
