/**
 * The parts of kafkajs 2.2.4 that this driver uses: its cluster (bootstrap, metadata, connections, SASL, versions of requests) and its encoders of requests.
 *
 * Its consumer is not used. Nearly all of its hazards live there (commits under whatever generation it has by then, jumps to a default offset, one partition that
 * holds up the others, waits without a limit), and in its decoders of records (no checksums, no cap, codecs that kill the consumer, lost order of
 * headers). Nothing of kafkajs is changed in place but objects that are this driver's own, so other users of it in the same process are not touched.
 *
 * These files are no public interface of kafkajs: the version is pinned, and the test beside this file fails when the inside looks different.
 */
import { createRequire } from "node:module";
import type { ClusterMetadata } from "./metadata.ts";

export interface WireExchange {
  readonly request: {
    readonly apiKey: number;
    readonly apiName: string;
    readonly apiVersion: number;
    readonly encode: () => Promise<WireEncoder>;
  };
  readonly response: WireResponse<unknown>;
  readonly requestTimeout?: number;
}

interface WireResponse<T> {
  decode(payload: Buffer): Promise<T>;
  parse(data: T): Promise<T>;
}

export interface WireEncoder {
  readonly buffer: Buffer;
  writeBuffer(bytes: Buffer): WireEncoder;
}

/** All versions of one request. */
export interface RequestFamily {
  readonly versions: readonly string[];
  protocol(choice: { readonly version: number }): (args: object) => WireExchange;
}

export interface KafkajsBroker {
  readonly nodeId: number | string | null;
  readonly versions: Readonly<Record<number, { minVersion: number; maxVersion: number }>>;
  /** Of two connections: Fetch has the second one for itself. */
  readonly connectionPool: {
    send(exchange: object): Promise<unknown>;
    getConnection(index: 0 | 1): Promise<{ send(exchange: object): Promise<unknown> }>;
  };
  /** How kafkajs learns of brokers; its own throws for one partition without a leader. */
  metadata: (topics: readonly string[]) => Promise<ClusterMetadata>;
  isConnected(): boolean;
  disconnect(): Promise<void>;
}

interface KafkajsBrokerOptions {
  readonly nodeId?: number;
  /** Of the requests. kafkajs takes those of the first broker for all of them; null: each is asked. */
  readonly versions?: object | null;
}

interface KafkajsBrokerPool {
  createBroker: (options: KafkajsBrokerOptions) => KafkajsBroker;
  /** What the last `refreshMetadata` got. */
  readonly metadata: ClusterMetadata | null;
  findConnectedBroker(): Promise<KafkajsBroker>;
}

export interface KafkajsCluster {
  connect(): Promise<void>;
  disconnect(): Promise<void>;
  readonly brokerPool: KafkajsBrokerPool;
  refreshMetadata(): Promise<void>;
  findBroker(options: { readonly nodeId: number | string }): Promise<KafkajsBroker>;
  findGroupCoordinator(options: { readonly groupId: string }): Promise<KafkajsBroker>;
}

export interface KafkajsSocketRequest {
  readonly host: string;
  readonly port: number;
  readonly onConnect: () => void;
}

export interface KafkajsSaslOptions {
  readonly mechanism: string;
  readonly authenticationProvider: (context: KafkajsSaslContext) => {
    authenticate(): Promise<void>;
  };
}

export interface KafkajsSaslContext {
  readonly host: string;
  readonly port: number;
  saslAuthenticate(exchange: {
    readonly request: { encode(): Promise<Buffer> };
    readonly response: WireResponse<Buffer>;
  }): Promise<Buffer>;
}

export interface KafkajsClusterOptions {
  readonly logger: unknown;
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly socketFactory: (request: KafkajsSocketRequest) => unknown;
  readonly ssl: object | null;
  readonly sasl: KafkajsSaslOptions | null;
  readonly connectionTimeout: number;
  readonly authenticationTimeout: number;
  /** So long before its end a session is extended, ms. */
  readonly reauthenticationThreshold: number;
  readonly requestTimeout: number;
  readonly enforceRequestTimeout: boolean;
  readonly metadataMaxAge: number;
  readonly allowAutoTopicCreation: boolean;
  readonly maxInFlightRequests: number | null;
  readonly isolationLevel: number;
  readonly retry: object;
}

const load = createRequire(import.meta.url);

export const KafkajsClusterClass = load("kafkajs/src/cluster") as new (
  options: KafkajsClusterOptions,
) => KafkajsCluster;

const { requests } = load("kafkajs/src/protocol/requests") as {
  requests: Readonly<Record<string, RequestFamily>>;
};

export const API_KEYS = load("kafkajs/src/protocol/requests/apiKeys") as Readonly<
  Record<string, number>
>;

export const WireEncoderClass = load("kafkajs/src/protocol/encoder") as new () => WireEncoder;

const loggers = load("kafkajs/src/loggers") as {
  createLogger(options: {
    readonly level: number;
    readonly logCreator: () => (entry: unknown) => void;
  }): unknown;
};

/** Silent: kafkajs tells every failure of a connection as an error, stack included; what matters of it is a problem of the source. */
export const silentLogger = () => loggers.createLogger({ level: 0, logCreator: () => () => {} });

export function requestFamily(name: string): RequestFamily {
  const family = requests[name];
  if (!family) throw new Error(`kafkajs has no request ${name}`);
  return family;
}
