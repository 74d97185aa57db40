/** The brokers of one cluster, and the ZooKeeper that they share when their version needs one. */
import { createHash } from "node:crypto";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { InvariantError, PenstockError } from "@penstock/core";
import { isAlive } from "../../process/process-table.ts";
import type { LocalKafka } from "../local-kafka.ts";
import { type NodeOptions, openNode } from "./open-node.ts";
import { listedBrokers } from "./readiness.ts";
import { unregisterBroker } from "./unregister-broker.ts";
import { ZooKeeper } from "./zookeeper.ts";

/** How long the brokers may take to learn of one that came or went. */
const NEWS_LIMIT_MS = 30_000;
const POLL_MS = 50;

export interface ClusterNodesOptions
  extends Omit<NodeOptions, "dataDir" | "nodeId" | "port" | "brokersMin" | "zookeeper"> {
  readonly folder: string;
  /** Nobody will read the data again. */
  readonly isTemporary: boolean;
  readonly controllerPort: number;
}

export class ClusterNodes {
  readonly #options: ClusterNodesOptions;
  readonly #clusterId: string;
  readonly #zookeeper: ZooKeeper | undefined;
  readonly #nodes: LocalKafka[] = [];
  #lastId = 0;

  private constructor(options: ClusterNodesOptions) {
    this.#options = options;
    const { release, files, folder, controllerPort, log } = options;
    // The same for the same folder, so that a cluster can be continued.
    this.#clusterId = createHash("sha256")
      .update(folder)
      .digest()
      .subarray(0, 16)
      .toString("base64url");
    if (release.metadata === "zookeeper")
      this.#zookeeper = new ZooKeeper({ files, folder, port: controllerPort, log });
  }

  /** As many nodes as ports, all ready. */
  static async start(
    options: ClusterNodesOptions,
    ports: readonly number[],
    racks: readonly string[],
  ): Promise<ClusterNodes> {
    const self = new ClusterNodes(options);
    await self.#zookeeper?.start();
    const opened = ports.map((port, index) => self.#open(racks[index], port, ports.length));
    const failed = (await Promise.allSettled(opened)).find((one) => one.status === "rejected");
    if (failed === undefined) return self;
    await self.stop();
    throw failed.reason;
  }

  /** By node id. */
  get all(): readonly LocalKafka[] {
    return this.#nodes.toSorted((a, b) => a.nodeId - b.nodeId);
  }

  of(nodeId: number): LocalKafka {
    const found = this.#nodes.find((node) => node.nodeId === nodeId);
    if (found === undefined) throw new InvariantError(`no broker ${nodeId}`);
    return found;
  }

  async add(rack: string | undefined): Promise<LocalKafka> {
    const node = await this.#open(rack);
    await this.#untilKnown(node.nodeId, true);
    return node;
  }

  async remove(nodeId: number): Promise<void> {
    const node = this.of(nodeId);
    await node.stop();
    if (this.#zookeeper === undefined) await unregisterBroker(this.of(1).port, nodeId);
    this.#nodes.splice(this.#nodes.indexOf(node), 1);
    await this.#untilKnown(nodeId, false);
  }

  async stop(): Promise<void> {
    for (const node of this.#nodes) node.resume();
    // Without the controller a broker would wait for it in vain before it stops.
    const first = this.#nodes.find((node) => node.nodeId === 1);
    const isController =
      this.#zookeeper !== undefined || (first !== undefined && isAlive(first.pid));
    const isPolite = !this.#options.isTemporary && isController;
    const end = (node: LocalKafka): Promise<void> => (isPolite ? node.stop() : node.kill());
    await Promise.all(this.#nodes.filter((node) => node !== first).map(end));
    if (first !== undefined) await end(first);
    await this.#zookeeper?.stop();
  }

  async #open(rack?: string, port?: number, brokersMin = 1): Promise<LocalKafka> {
    const nodeId = ++this.#lastId;
    const node = await openNode({
      ...this.#options,
      dataDir: join(this.#options.folder, `broker-${nodeId}`),
      clusterId: this.#clusterId,
      zookeeper: this.#zookeeper,
      ...{ rack, port, nodeId, brokersMin },
    });
    this.#nodes.push(node);
    return node;
  }

  /** Waits until every broker that runs lists the node, or none does. */
  async #untilKnown(nodeId: number, isListed: boolean): Promise<void> {
    const deadline = performance.now() + NEWS_LIMIT_MS;
    for (const { port, pid } of this.#nodes) {
      while (isAlive(pid) && (await listedBrokers(port)).includes(nodeId) !== isListed) {
        if (performance.now() > deadline)
          throw new PenstockError("unavailable", `Not all brokers know about broker ${nodeId}.`);
        await delay(POLL_MS);
      }
    }
  }
}
