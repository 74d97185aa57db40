/**
 * The brokers of one cluster as kafkajs reaches them, for one topic: connections, leaders, the coordinator, and one way to ask.
 *
 *   connected ─▶ leaders of the topic, read again every 10 s and when they are known to be wrong ─▶ ask ─▶ destroy
 *
 * Always true: everything rejects with a PenstockError; every wait has a limit (kafkajs's own waits for requests that are on their way are not trusted to
 * end: `destroy` ends the sockets); kafkajs's retries are few, since who asks tries again with its own backoff.
 */
import { type Clock, PenstockError, type SourceSecurity } from "@penstock/core";
import { guardKafkajsTimers } from "../../admin/kafkajs-timer-guard.ts";
import { parseServer } from "../../cluster/bootstrap-server.ts";
import { KAFKA, kafkaRefusal } from "../../cluster/kafka-error.ts";
import type { AddressGuard } from "../../connection/dial.ts";
import { RefusalPause } from "../../connection/refusal-pause.ts";
import { BrokerSocket } from "./broker-socket.ts";
import { problemOf } from "./kafkajs-error.ts";
import {
  API_KEYS,
  type KafkajsBroker,
  type KafkajsCluster,
  KafkajsClusterClass,
  type KafkajsSocketRequest,
  requestFamily,
  silentLogger,
} from "./kafkajs-internals.ts";
import { kafkajsSasl } from "./kafkajs-sasl.ts";
import { askOnlyFor, readMetadata } from "./metadata.ts";

export interface KafkajsClientOptions {
  readonly bootstrapServers: readonly string[];
  readonly security?: SourceSecurity | undefined;
  readonly addressGuard?: AddressGuard | undefined;
  readonly topic: string;
  readonly clientId: string;
  readonly clock: Clock;
  readonly connectTimeoutMs?: number | undefined;
  readonly requestTimeoutMs?: number | undefined;
  /** Largest response that is asked for. */
  readonly fetchBytesMax: number;
}

export interface SendOptions<T> {
  /** Reads the payload, which begins after the correlation id. Default: kafkajs's reader. */
  readonly decode?: ((payload: Buffer, version: number) => T) | undefined;
  /** Default: the request timeout. */
  readonly answerLimitMs?: number | undefined;
  /** By the connection of the fetches, past what is waited for on the other one. */
  readonly isAside?: boolean;
}

export interface TopicView {
  /** NO_TOPIC_ID before Kafka 2.8, and from brokers of a roll that are not there yet. */
  readonly topicId: string;
  /** Node id of the leader by partition; -1 while there is none. */
  readonly leaders: ReadonlyMap<number, number>;
}

const CONNECT_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 15_000;
/** Longer ones would extend short sessions with every request, which Kafka refuses within a second. */
const REAUTHENTICATION_THRESHOLD_MS = 1_000;
const VIEW_MAX_AGE_MS = 10_000;
/** Views that are known to be wrong are not read again more often. */
const VIEW_MIN_AGE_MS = 250;
/** One record may be larger than what is asked for; this much is believed. */
const FRAME_BYTES_MIN = 128 * 1024 * 1024;
const READ_COMMITTED = 1;
/** What kafkajs gets more than its own limits before its connections are given up: it loses requests when a connection ends while another is made. */
const GRACE_MS = 15_000;
/** Topics in one request. */
const TOPICS_AT_ONCE_MAX = 1_000;
/** Why each broker failed, of this many. */
const REASONS_MAX = 256;

export class KafkajsClient {
  readonly topic: string;
  readonly #options: KafkajsClientOptions;
  readonly #sockets = new Set<BrokerSocket>();
  readonly #reasons = new Map<string, PenstockError>();
  readonly #pause: RefusalPause;
  readonly #requestTimeoutMs: number;
  #cluster: Promise<KafkajsCluster> | null = null;
  #view: { readonly view: TopicView; readonly atMs: number } | null = null;
  #reading: Promise<TopicView> | null = null;
  #isDoubted = false;
  #isDestroyed = false;

  constructor(options: KafkajsClientOptions) {
    guardKafkajsTimers();
    this.#options = options;
    this.topic = options.topic;
    this.#requestTimeoutMs = options.requestTimeoutMs ?? REQUEST_TIMEOUT_MS;
    this.#pause = new RefusalPause(() => options.clock.nowMs());
  }

  /** Cached for 10 s. Concurrent calls share one request. */
  async view(): Promise<TopicView> {
    const ageMs = this.#view ? this.#options.clock.nowMs() - this.#view.atMs : Infinity;
    const ageMsMax = this.#isDoubted ? VIEW_MIN_AGE_MS : VIEW_MAX_AGE_MS;
    if (this.#view && ageMs < ageMsMax) return this.#view.view;
    this.#reading ??= this.#read().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  /** The view is known to be wrong. */
  doubt(): void {
    this.#isDoubted = true;
  }

  broker(nodeId: number): Promise<KafkajsBroker> {
    return this.#translated(`broker ${nodeId}`, async (cluster) => cluster.findBroker({ nodeId }));
  }

  coordinator(groupId: string): Promise<KafkajsBroker> {
    return this.#translated(`consumer group "${groupId}"`, (cluster) =>
      cluster.findGroupCoordinator({ groupId }),
    );
  }

  /** Number of partitions of topics of others; those that can't be had are left out. They leave no trace: what becomes of them is not our topic's matter. */
  partitionCounts(topics: readonly string[]): Promise<Map<string, number>> {
    return this.#translated("topics of the group", async (cluster) => {
      const counts = new Map<string, number>();
      for (let from = 0; from < topics.length; from += TOPICS_AT_ONCE_MAX) {
        const broker = await cluster.brokerPool.findConnectedBroker();
        const asked = topics.slice(from, from + TOPICS_AT_ONCE_MAX);
        for (const row of (await readMetadata(broker, asked)).topics)
          if (row.errorCode === KAFKA.none && row.leaders.size > 0)
            counts.set(row.topic, row.leaders.size);
      }
      return counts;
    });
  }

  /** Of anything that kafkajs or this client threw. */
  problemOf(error: unknown, subject: string): PenstockError {
    return problemOf(error, subject, (broker) => this.#reasons.get(broker));
  }

  /**
   * Sends a request in the newest version that both sides have. Never uses kafkajs's `parse`, which throws away an answer for all partitions when one has an
   * error: error codes are in the answer.
   */
  send<T>(
    broker: KafkajsBroker,
    name: string,
    args: object,
    { decode, answerLimitMs, isAside }: SendOptions<T> = {},
  ): Promise<T> {
    const ask = async () => {
      const family = requestFamily(name);
      const offered = broker.versions[API_KEYS[name] as number]?.maxVersion ?? -1;
      const version = Math.min(Math.max(...family.versions.map(Number)), offered);
      if (version < 0) throw kafkaRefusal(KAFKA.unsupportedVersion, name);
      const exchange = family.protocol({ version })(args);
      const { response } = exchange;
      try {
        const { connectionPool } = broker;
        const sender = isAside ? await connectionPool.getConnection(1) : connectionPool;
        return (await sender.send({
          ...exchange,
          ...(answerLimitMs === undefined ? {} : { requestTimeout: answerLimitMs }),
          response: {
            decode: async (payload: Buffer) =>
              decode ? decode(payload, version) : response.decode(payload),
            parse: async (data: unknown) => data,
          },
        })) as T;
      } catch (error) {
        await this.#dropped(broker, error);
        throw error;
      }
    };
    return this.#translated(`broker ${broker.nodeId}`, ask, answerLimitMs);
  }

  /** Ends every connection at once; requests that wait reject, and later ones open new connections. */
  hangUp(): void {
    for (const socket of [...this.#sockets]) socket.hangUp();
  }

  /** Ends every connection at once, for good. */
  destroy(): void {
    this.#isDestroyed = true;
    const cluster = this.#cluster;
    this.hangUp();
    // Clears timers; that it may wait for something that never comes doesn't matter any more.
    cluster?.then((it) => it.disconnect()).catch(() => {});
  }

  async #read(): Promise<TopicView> {
    const { topic, clock } = this.#options;
    const view = await this.#translated(`topic "${topic}"`, async (cluster) => {
      this.#isDoubted = false;
      await cluster.refreshMetadata();
      const row = cluster.brokerPool.metadata?.topics.find((it) => it.topic === topic);
      const errorCode = row?.errorCode ?? KAFKA.unknownTopicOrPartition;
      if (errorCode !== KAFKA.none) throw kafkaRefusal(errorCode, `"${topic}"`);
      if (!row || row.leaders.size === 0)
        throw kafkaRefusal(KAFKA.unknownTopicOrPartition, `"${topic}"`);
      return { topicId: row.topicId, leaders: row.leaders };
    });
    this.#view = { view, atMs: clock.nowMs() };
    return view;
  }

  async #translated<T>(
    subject: string,
    run: (cluster: KafkajsCluster) => Promise<T>,
    answerLimitMs = this.#requestTimeoutMs,
  ): Promise<T> {
    const limit = Promise.withResolvers<never>();
    const timer = setTimeout(() => {
      limit.reject(late(subject));
      this.hangUp();
    }, answerLimitMs + GRACE_MS);
    try {
      return await Promise.race([this.#connected().then(run), limit.promise]);
    } catch (error) {
      throw this.problemOf(error, subject);
    } finally {
      clearTimeout(timer);
    }
  }

  async #connected(): Promise<KafkajsCluster> {
    if (this.#isDestroyed) throw closed();
    this.#cluster ??= this.#create().catch((error) => {
      this.#cluster = null;
      throw error;
    });
    const cluster = await this.#cluster;
    // Returns at once while any connection is up.
    await cluster.connect();
    return cluster;
  }

  async #create(): Promise<KafkajsCluster> {
    const { bootstrapServers, security, clientId } = this.#options;
    const { connectTimeoutMs = CONNECT_TIMEOUT_MS } = this.#options;
    const requestTimeoutMs = this.#requestTimeoutMs;
    const servers = bootstrapServers.map(parseServer);
    const [first] = servers;
    const credentials =
      first && security ? await security.credentials(first.host, first.port) : null;
    const sasl = credentials?.sasl ?? null;
    const cluster = new KafkajsClusterClass({
      logger: silentLogger(),
      // kafkajs splits at colons: addresses of IPv6 get a name that the socket knows.
      brokers: servers.map(({ host, port }, index) =>
        host.includes(":") ? `${PLACEHOLDER}${index}:${port}` : `${host}:${port}`,
      ),
      clientId,
      socketFactory: (request) => this.#socket(request, servers),
      ssl: security?.isTls ? {} : null,
      sasl: sasl && security ? kafkajsSasl(sasl.mechanism, security, this.#pause) : null,
      connectionTimeout: connectTimeoutMs,
      authenticationTimeout: requestTimeoutMs,
      reauthenticationThreshold: REAUTHENTICATION_THRESHOLD_MS,
      requestTimeout: requestTimeoutMs,
      enforceRequestTimeout: true,
      metadataMaxAge: VIEW_MAX_AGE_MS,
      allowAutoTopicCreation: false,
      maxInFlightRequests: null,
      isolationLevel: READ_COMMITTED,
      // Enough to pass by servers that are away.
      retry: { initialRetryTime: 50, maxRetryTime: 250, retries: servers.length + 1 },
    });
    askOnlyFor(this.topic, cluster);
    return cluster;
  }

  #socket(request: KafkajsSocketRequest, servers: readonly { host: string; port: number }[]) {
    const { addressGuard, security, fetchBytesMax } = this.#options;
    const { host, port, onConnect } = request;
    const index = host.startsWith(PLACEHOLDER) ? Number(host.slice(PLACEHOLDER.length)) : -1;
    const socket = new BrokerSocket(
      servers[index] ?? { host, port },
      {
        addressGuard,
        security,
        frameBytesMax: Math.max(FRAME_BYTES_MIN, 2 * fetchBytesMax),
        failed: (broker, problem) => {
          if (this.#reasons.size >= REASONS_MAX) this.#reasons.clear();
          this.#reasons.set(broker, problem);
        },
      },
      () => {
        this.#reasons.delete(`${host}:${port}`);
        onConnect();
      },
    );
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    if (this.#isDestroyed) socket.hangUp();
    return socket;
  }

  /** kafkajs lets a broker be whose connection was closed: the next request would fail as well. */
  async #dropped(broker: KafkajsBroker, error: unknown): Promise<void> {
    if ((error as { name?: unknown }).name === "KafkaJSConnectionClosedError")
      await broker.disconnect();
  }
}

function late(subject: string): PenstockError {
  return new PenstockError(
    "kafkaUnavailable",
    `The Kafka brokers do not answer in time (${subject}).`,
  );
}

function closed(): PenstockError {
  return new PenstockError("kafkaUnavailable", "The connections to Kafka were closed.");
}

/** The same as an interface, for who uses it. */
export type KafkajsBrokers = Pick<KafkajsClient, keyof KafkajsClient>;

const PLACEHOLDER = "penstock-bootstrap-";
