/**
 * The `Cluster` over real connections.
 *
 * Nothing here has a standing timer: an idle cluster costs its open sockets. Connections come when asked for; once the brokers'
 * advertised addresses are known the bootstrap servers are asked only when none of those answers.
 */
import { type Clock, invariant, PenstockError } from "@penstock/core";
import type { Connection, metadataV12 } from "@platformatic/kafka";
import type { ApiRanges } from "../connection/api-ranges.ts";
import { ConnectionSlot } from "../connection/connection-slot.ts";
import { type DialOptions, dial } from "../connection/dial.ts";
import { hangUp } from "../connection/hang-up.ts";
import { RefusalPause } from "../connection/refusal-pause.ts";
import { throttleOf } from "../connection/throttle.ts";
import { parseServer, type ServerAddress } from "./bootstrap-server.ts";
import type { BrokerMetadata, Cluster, ConnectionPurpose, TopicMetadata } from "./cluster.ts";
import { KAFKA, kafkaRefusal } from "./kafka-error.ts";
import type { KafkaLog } from "./log.ts";
import { mostTelling } from "./most-telling.ts";
import { raceStaggered } from "./race.ts";
import { Refreshed } from "./refreshed.ts";
import { ask, bestVersion } from "./versions/ask.ts";
import { FIND_COORDINATOR, METADATA, METADATA_WITHOUT_CREATION } from "./versions/cluster-apis.ts";

export interface KafkaClusterOptions
  extends Pick<DialOptions, "clientId" | "addressGuard" | "security" | "apiVersionsMax"> {
  readonly bootstrapServers: readonly string[];
  readonly clock: Clock;
  readonly log: KafkaLog;
  readonly connectTimeoutMs?: number;
  /** For control and commit connections. Default 5 s and 10 s: a commit may wait for the replicas (5 s at the broker). */
  readonly requestTimeoutMs?: number;
  readonly fetchRequestTimeoutMs?: number;
  readonly fetchFrameBytesMax?: number;
}

/** A join waits for the slowest member of its group: Java's may process for 5 minutes and more before it joins. The member has its own limits. */
const REQUEST_TIMEOUT_MS = { control: 5_000, commit: 10_000, fetch: 30_000, join: 900_000 };
const CONTROL_FRAME_BYTES_MAX = 32 * 1024 * 1024;
const BOOTSTRAP_STAGGER_MS = 300;
const METADATA_AGE_MS_MAX = 30_000;
const METADATA_PACE_MS = 200;
const BROKERS_TRIED_MAX = 3;

export class KafkaCluster implements Cluster {
  readonly #options: KafkaClusterOptions;
  readonly #servers: readonly ServerAddress[];
  readonly #bootstrap: ConnectionSlot;
  readonly #brokers = new Map<number, BrokerMetadata>();
  readonly #shared = new Map<string, ConnectionSlot>();
  readonly #owned = new Map<object, Map<number, ConnectionSlot>>();
  readonly #topics = new Map<string, Refreshed<TopicMetadata>>();
  readonly #coordinators = new Map<string, Refreshed<number>>();
  readonly #versions = new WeakMap<Connection, ApiRanges>();
  readonly #refusalPause: RefusalPause;
  #isClosed = false;

  constructor(options: KafkaClusterOptions) {
    this.#refusalPause = new RefusalPause(() => options.clock.nowMs());
    this.#options = options;
    this.#servers = options.bootstrapServers.map(parseServer);
    this.#bootstrap = new ConnectionSlot(() => this.#dialBootstrap(), options.clock);
  }

  metadata(topic: string): Promise<TopicMetadata> {
    const read = () => this.#readMetadata(topic);
    const policy = { ageMsMax: METADATA_AGE_MS_MAX, paceMs: METADATA_PACE_MS };
    return getOrCreate(
      this.#topics,
      topic,
      () => new Refreshed(read, this.#options.clock, policy),
    ).get();
  }

  invalidate(topic: string): void {
    this.#topics.get(topic)?.invalidate();
  }

  coordinator(groupId: string): Promise<number> {
    const read = () => this.#findCoordinator(groupId);
    const policy = { ageMsMax: Number.POSITIVE_INFINITY, paceMs: METADATA_PACE_MS };
    return getOrCreate(
      this.#coordinators,
      groupId,
      () => new Refreshed(read, this.#options.clock, policy),
    ).get();
  }

  invalidateCoordinator(groupId: string): void {
    this.#coordinators.get(groupId)?.invalidate();
  }

  /** Forgets what is cached of a group that has no member here any more. */
  forgetGroup(groupId: string): void {
    this.#coordinators.delete(groupId);
  }

  brokerConnection(
    nodeId: number,
    purpose: ConnectionPurpose,
    owner?: object,
  ): Promise<Connection> {
    if (this.#isClosed) return Promise.reject(closed());
    if (!this.#brokers.has(nodeId))
      return Promise.reject(
        new PenstockError("kafkaUnavailable", `Broker ${nodeId} is not known.`),
      );
    return this.#slot(nodeId, purpose, owner).get();
  }

  closeOwner(owner: object): void {
    for (const slot of this.#owned.get(owner)?.values() ?? []) slot.close();
    this.#owned.delete(owner);
  }

  apiVersion(connection: Connection, apiKey: number, versionMax: number): number {
    return this.#versions.get(connection)?.best(apiKey, versionMax) ?? -1;
  }

  /** A connection to any broker, for what every broker answers. */
  async anyConnection(): Promise<Connection> {
    if (this.#isClosed) throw closed();
    const nodes = [...this.#brokers.keys()];
    const open = nodes.find((node) => this.#shared.get(`${node}/control`)?.isOpen);
    if (open !== undefined) return this.#slot(open, "control").get();
    const tried = shuffled(nodes).slice(0, BROKERS_TRIED_MAX);
    const attempts = [
      ...tried.map((node) => () => this.#slot(node, "control").get()),
      () => this.#bootstrap.get(),
    ];
    return raceStaggered(attempts, BOOTSTRAP_STAGGER_MS, () => {}, mostTelling);
  }

  /** A connection to the broker that takes changes of topics. */
  async controllerConnection(): Promise<Connection> {
    const connection = await this.anyConnection();
    const response = await ask(this, connection, METADATA, [], false, false);
    this.#learnBrokers(response.brokers);
    const { controllerId } = response;
    return this.#brokers.has(controllerId) ? this.#slot(controllerId, "control").get() : connection;
  }

  close(): void {
    this.#isClosed = true;
    this.#bootstrap.close();
    for (const slot of this.#shared.values()) slot.close();
    for (const owner of [...this.#owned.keys()]) this.closeOwner(owner);
    this.#shared.clear();
    this.#topics.clear();
    this.#coordinators.clear();
  }

  #slot(nodeId: number, purpose: ConnectionPurpose, owner?: object): ConnectionSlot {
    if (purpose === "control" || purpose === "commit") {
      const key = `${nodeId}/${purpose}`;
      return getOrCreate(this.#shared, key, () => this.#newSlot(nodeId, purpose));
    }
    invariant(owner, `a ${purpose} connection needs an owner`);
    const slots = getOrCreate(this.#owned, owner, () => new Map<number, ConnectionSlot>());
    return getOrCreate(slots, nodeId, () => this.#newSlot(nodeId, purpose));
  }

  #newSlot(nodeId: number, purpose: ConnectionPurpose): ConnectionSlot {
    return new ConnectionSlot(() => {
      // Looked up at each attempt: the address may have changed with the last metadata.
      const broker = this.#brokers.get(nodeId);
      if (!broker) throw new PenstockError("kafkaUnavailable", `Broker ${nodeId} is not known.`);
      return this.#dial(broker, purpose);
    }, this.#options.clock);
  }

  async #dial(
    server: ServerAddress,
    purpose: ConnectionPurpose,
    asksWelcome = false,
  ): Promise<Connection> {
    const { clientId, addressGuard, security, apiVersionsMax, ...rest } = this.#options;
    const isFetch = purpose === "fetch";
    const { requestTimeoutMs, fetchRequestTimeoutMs } = rest;
    const chosen: Partial<Record<ConnectionPurpose, number | undefined>> = {
      ...{ control: requestTimeoutMs, commit: requestTimeoutMs, fetch: fetchRequestTimeoutMs },
    };
    const { connection, versions } = await dial(server, {
      clientId,
      addressGuard,
      security,
      ...(apiVersionsMax && { apiVersionsMax }),
      refusalPause: this.#refusalPause,
      asksWelcome,
      connectTimeoutMs: rest.connectTimeoutMs ?? 5_000,
      requestTimeoutMs: chosen[purpose] ?? REQUEST_TIMEOUT_MS[purpose],
      frameBytesMax: isFetch
        ? (rest.fetchFrameBytesMax ?? 128 * 1024 * 1024)
        : CONTROL_FRAME_BYTES_MAX,
      inflightMax: isFetch ? 5 : 256,
    });
    this.#versions.set(connection, versions);
    const { host, port } = server;
    rest.log.debug("kafka connection open", { host, port, purpose });
    throttleOf(connection).listen((throttleMs) =>
      rest.log.debug("kafka throttles this client", { host, port, purpose, throttleMs }),
    );
    return connection;
  }

  #dialBootstrap(): Promise<Connection> {
    const attempts = shuffled(this.#servers).map(
      (server) => () => this.#dial(server, "control", true),
    );
    return raceStaggered(attempts, BOOTSTRAP_STAGGER_MS, hangUp, mostTelling);
  }

  async lookAt(topics: readonly string[]): Promise<Map<string, TopicMetadata | PenstockError>> {
    const connection = await this.anyConnection();
    const { version = 0 } = bestVersion(this, connection, METADATA) ?? {};
    const asked = version < METADATA_WITHOUT_CREATION ? null : [...topics];
    const response = await ask(this, connection, METADATA, asked, false, false);
    this.#learnBrokers(response.brokers);
    const byName = new Map(response.topics.map((found) => [found.name, found]));
    return new Map(topics.map((topic) => [topic, this.#metadataOf(topic, byName.get(topic))]));
  }

  async #readMetadata(topic: string): Promise<TopicMetadata> {
    const found = (await this.lookAt([topic])).get(topic);
    invariant(found, "a look answers for every topic");
    if (found instanceof PenstockError) throw found;
    return found;
  }

  #metadataOf(
    topic: string,
    found: metadataV12.MetadataResponseTopic | undefined,
  ): TopicMetadata | PenstockError {
    const subject = `topic "${topic}"`;
    if (!found) return kafkaRefusal(KAFKA.unknownTopicOrPartition, subject);
    // A topic that is just being created answers so for a moment; its partitions say -1 as leader.
    const isUsable = found.errorCode === KAFKA.none || found.errorCode === KAFKA.leaderNotAvailable;
    if (!isUsable) return kafkaRefusal(found.errorCode, subject);
    return {
      topic,
      topicId: found.topicId,
      partitions: found.partitions
        .map((row) => ({
          partition: row.partitionIndex,
          leader: row.leaderId,
          leaderEpoch: row.leaderEpoch,
          inSync: row.isrNodes,
        }))
        .sort((a, b) => a.partition - b.partition),
      brokers: [...this.#brokers.values()],
    };
  }

  async #findCoordinator(groupId: string): Promise<number> {
    const connection = await this.anyConnection();
    const response = await ask(this, connection, FIND_COORDINATOR, 0, [groupId]);
    const found = response.coordinators[0];
    if (!found || found.errorCode !== KAFKA.none)
      throw kafkaRefusal(
        found?.errorCode ?? KAFKA.coordinatorNotAvailable,
        `consumer group "${groupId}"`,
      );
    this.#learnBroker({ nodeId: found.nodeId, host: found.host, port: found.port, rack: null });
    return found.nodeId;
  }

  #learnBrokers(brokers: readonly metadataV12.MetadataResponseBroker[]): void {
    for (const { nodeId, host, port, rack } of brokers)
      this.#learnBroker({ nodeId, host, port, rack: rack ?? null });
    const alive = new Set(brokers.map((broker) => broker.nodeId));
    if (alive.size === 0) return;
    for (const nodeId of [...this.#brokers.keys()])
      if (!alive.has(nodeId)) this.#brokers.delete(nodeId);
  }

  #learnBroker(broker: BrokerMetadata): void {
    const known = this.#brokers.get(broker.nodeId);
    this.#brokers.set(broker.nodeId, broker);
    if (!known || (known.host === broker.host && known.port === broker.port)) return;
    for (const purpose of ["control", "commit"]) {
      this.#shared.get(`${broker.nodeId}/${purpose}`)?.close();
      this.#shared.delete(`${broker.nodeId}/${purpose}`);
    }
  }
}

function getOrCreate<K, V>(map: Map<K, V>, key: K, create: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = create();
    map.set(key, value);
  }
  return value;
}

function closed(): PenstockError {
  return new PenstockError("kafkaUnavailable", "The connection to Kafka was closed.");
}

function shuffled<T>(items: readonly T[]): T[] {
  return items
    .map((item) => ({ item, order: Math.random() }))
    .sort((a, b) => a.order - b.order)
    .map(({ item }) => item);
}
