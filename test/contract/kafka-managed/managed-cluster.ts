/**
 * Several brokers in racks, each behind a proxy of its own whose address it advertises: what is fetched from which broker can be counted, and a broker can
 * get another address.
 */
import { randomUUID } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RecordSourceDriverOptions } from "@penstock/kafka";
import { freePort, type LocalKafkaCluster, startKafkaCluster } from "@penstock/local";
import { FaultProxy, type Inspector, KAFKA_REQUEST, waitUntil } from "@penstock/testkit";
import {
  alterPartitionReassignmentsV0,
  Connection,
  listPartitionReassignmentsV0,
  metadataV12,
} from "@platformatic/kafka";
import { GroupWorld } from "../../record-source/group-world.ts";
import { Operator, type TopicAndGroup } from "../../record-source/operator.ts";
import type { Probe } from "../../record-source/probe.ts";

/** Leader first. */
export type Replicas = readonly number[];

const LIMIT_MS = 60_000;

export class ManagedCluster {
  readonly kafka: LocalKafkaCluster;
  #operator: Operator | null = null;
  readonly #folder: string;
  readonly #ports: Map<number, number>;
  readonly #proxies = new Map<number, FaultProxy>();
  readonly #fetches = new Map<number, number>();
  #worlds: GroupWorld[] = [];

  private constructor(kafka: LocalKafkaCluster, ports: Map<number, number>, folder: string) {
    this.kafka = kafka;
    this.#ports = ports;
    this.#folder = folder;
  }

  static async start(
    extraProperties: Readonly<Record<string, string | number>> = {},
  ): Promise<ManagedCluster> {
    const folder = mkdtempSync(join(tmpdir(), "penstock-managed-"));
    const ports = new Map<number, number>();
    for (let nodeId = 1; nodeId <= 6; nodeId++) ports.set(nodeId, await freePort());
    const kafka = await startKafkaCluster({
      dataDir: folder,
      brokers: 3,
      racks: ["a", "b", "c"],
      advertised: ({ nodeId }) => `127.0.0.1:${ports.get(nodeId)}`,
      extraProperties,
    });
    const managed = new ManagedCluster(kafka, ports, folder);
    for (const { nodeId } of kafka.brokers) await managed.show(nodeId);
    managed.#operator = await Operator.connect(managed.bootstrapServers);
    return managed;
  }

  get operator(): Operator {
    if (!this.#operator) throw new Error("the cluster is not up");
    return this.#operator;
  }

  get bootstrapServers(): string {
    return this.kafka.brokers.map(({ nodeId }) => this.addressOf(nodeId)).join(",");
  }

  addressOf(nodeId: number): string {
    return `127.0.0.1:${this.#ports.get(nodeId)}`;
  }

  proxy(nodeId: number): FaultProxy {
    const proxy = this.#proxies.get(nodeId);
    if (!proxy) throw new Error(`broker ${nodeId} has no proxy`);
    return proxy;
  }

  /** How many fetch requests of clients a broker got. */
  fetches(nodeId: number): number {
    return this.#fetches.get(nodeId) ?? 0;
  }

  /** Puts the proxy before a broker that is new. */
  async show(nodeId: number): Promise<void> {
    const target = this.kafka.broker(nodeId).port;
    const port = this.#ports.get(nodeId);
    const options = { target, inspect: () => this.#inspect(nodeId), ...(port && { port }) };
    this.#proxies.set(nodeId, await FaultProxy.start(options));
  }

  /** A broker comes back under another address, and nothing is left at the old one. */
  async readdress(nodeId: number): Promise<void> {
    const file = join(this.#folder, `broker-${nodeId}`, "broker.properties");
    const before = this.addressOf(nodeId);
    await this.proxy(nodeId).stop();
    this.#ports.set(nodeId, await freePort());
    const properties = readFileSync(file, "utf8");
    writeFileSync(file, properties.replace(before, this.addressOf(nodeId)));
    await this.kafka.broker(nodeId).restart();
    await this.show(nodeId);
  }

  /** A topic whose partitions lie where the test wants them. */
  async topic(...partitions: Replicas[]): Promise<TopicAndGroup> {
    const topic = `managed-${randomUUID().slice(0, 8)}`;
    const replicaAssignment = partitions.map((replicas, partition) => ({
      partition,
      replicas: [...replicas],
    }));
    await this.operator.admin.createTopics({
      topics: [{ topic, replicaAssignment }],
      waitForLeaders: true,
    });
    await this.untilInSync(topic, partitions[0]?.length ?? 1);
    return { topic, groupId: `of-${topic}` };
  }

  /** Moves all partitions of a topic and waits until they are there. */
  async move(topic: string, partitions: readonly number[], replicas: Replicas): Promise<void> {
    await this.#asOperator(async (connection) => {
      const rows = partitions.map((partitionIndex) => ({
        partitionIndex,
        replicas: [...replicas],
      }));
      const topics = [{ name: topic, partitions: rows }];
      await alterPartitionReassignmentsV0.api.async(connection, 30_000, true, topics);
      const asked = [{ name: topic, partitionIndexes: [...partitions] }];
      await waitUntil(
        "the replicas have moved",
        async () => {
          const { topics: moving } = await listPartitionReassignmentsV0.api.async(
            connection,
            30_000,
            asked,
          );
          return moving.length === 0;
        },
        LIMIT_MS,
      );
    });
  }

  /** As many replicas of each partition are in sync. */
  async untilInSync(topic: string, count: number): Promise<void> {
    await this.#asOperator((connection) =>
      waitUntil(
        `${count} replicas are in sync`,
        async () => {
          const { topics } = await metadataV12.api.async(connection, [topic], false, false);
          const partitions = topics[0]?.partitions ?? [];
          return partitions.length > 0 && partitions.every((row) => row.isrNodes.length === count);
        },
        LIMIT_MS,
      ),
    );
  }

  /** A record source in a driver of its own, reading from the first record on. */
  async reads(
    names: TopicAndGroup,
    driver: Partial<RecordSourceDriverOptions> = {},
    bootstrapServers = this.bootstrapServers,
  ): Promise<Probe> {
    const world = new GroupWorld(bootstrapServers, driver);
    this.#worlds.push(world);
    const probe = world.open({ ...names, fetches: true });
    await probe.until("it is a member", () => probe.held.size > 0, LIMIT_MS);
    return probe;
  }

  async endClients(): Promise<void> {
    for (const world of this.#worlds.splice(0)) await world.close();
  }

  async stop(): Promise<void> {
    await this.endClients();
    await this.#operator?.close();
    for (const proxy of this.#proxies.values()) await proxy.stop();
    await this.kafka.stop();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** By the controller's broker, past all proxies. */
  async #asOperator<T>(use: (connection: Connection) => Promise<T>): Promise<T> {
    const connection = new Connection("operator");
    await connection.connect("127.0.0.1", this.kafka.broker(1).port);
    try {
      return await use(connection);
    } finally {
      await connection.close();
    }
  }

  #inspect(nodeId: number): Inspector {
    return {
      toServer: (piece) => {
        const isFetch = piece.length >= 8 && piece.readInt16BE(4) === KAFKA_REQUEST.fetch;
        if (isFetch) this.#fetches.set(nodeId, this.fetches(nodeId) + 1);
        return piece;
      },
    };
  }
}

/** Produces to partition 0 and waits until all that was ever produced has come, once and in order. */
export async function flows(
  { operator }: ManagedCluster,
  topic: string,
  probe: Probe,
  count = 5,
): Promise<void> {
  const before = probe.offsetsOf(0).length;
  await operator.fill(topic, 0, count, before);
  await probe.until(
    `${before + count} came`,
    () => probe.offsetsOf(0).length >= before + count,
    LIMIT_MS,
  );
  const expected = Array.from({ length: before + count }, (_, index) => `value ${index}`);
  const came = probe.valuesOf(0);
  if (came.join() !== expected.join()) throw new Error(`not as produced: ${came.join()}`);
}
