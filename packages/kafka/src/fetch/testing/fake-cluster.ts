import { PenstockError } from "@penstock/core";
import type { Connection } from "@platformatic/kafka";
import type { Cluster, TopicMetadata } from "../../cluster/cluster.ts";
import type { FakeBroker } from "./fake-broker.ts";

/** A cluster of fake brokers: connections per owner, leaders as the test says. */
export class FakeCluster implements Cluster {
  readonly brokers: ReadonlyMap<number, FakeBroker>;
  topicId: string;
  leaders: number[];
  /** Of all partitions; null = all brokers. */
  inSync: number[] | null = null;
  /** Of Fetch. */
  versionMax = 17;
  invalidations = 0;
  metadataError: PenstockError | null = null;
  readonly #owned = new Map<object, Connection>();

  constructor(brokers: ReadonlyMap<number, FakeBroker>, topicId: string, leaders: number[]) {
    this.brokers = brokers;
    this.topicId = topicId;
    this.leaders = leaders;
  }

  async metadata(topic: string): Promise<TopicMetadata> {
    if (this.metadataError) throw this.metadataError;
    const partitions = this.leaders.map((leader, partition) => ({
      partition,
      leader,
      leaderEpoch: 3,
      inSync: this.inSync ?? [...this.brokers.keys()],
    }));
    return { topic, topicId: this.topicId, partitions, brokers: [] };
  }

  async lookAt(topics: readonly string[]): Promise<Map<string, TopicMetadata>> {
    const looks = topics.map(async (topic) => [topic, await this.metadata(topic)] as const);
    return new Map(await Promise.all(looks));
  }

  invalidate(): void {
    this.invalidations++;
  }

  async brokerConnection(nodeId: number, _purpose: unknown, owner?: object): Promise<Connection> {
    const broker = this.brokers.get(nodeId);
    if (!broker || broker.isDown || !owner)
      throw new PenstockError("kafkaUnavailable", `Broker ${nodeId} is away.`);
    const known = this.#owned.get(owner);
    if (known?.isConnected()) return known;
    const connection = broker.connect();
    this.#owned.set(owner, connection);
    return connection;
  }

  closeOwner(owner: object): void {
    this.#owned.get(owner)?.socket.destroy();
    this.#owned.delete(owner);
  }

  apiVersion(_connection: Connection, _apiKey: number, versionMax: number): number {
    return Math.min(versionMax, this.versionMax);
  }

  async coordinator(): Promise<number> {
    throw new PenstockError("kafkaUnavailable", "Not asked for in fetching.");
  }

  invalidateCoordinator(): void {}
}
