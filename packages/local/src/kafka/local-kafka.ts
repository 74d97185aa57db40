/** What a local broker is asked for, and what it is to those who use it. */
import type { LocalKafkaSecurity, PemIdentity } from "./broker/secured-listeners.ts";
import type { KafkaVersion } from "./kafka-versions.ts";

export type BrokerPropertyValues = Readonly<Record<string, string | number | boolean>>;

export interface LocalKafkaOptions {
  /** Made when missing; a folder with data is continued. */
  dataDir: string;
  /** Default: the newest. */
  version?: KafkaVersion | undefined;
  /** Default: a free one. */
  port?: number | undefined;
  /** Of the controller, or of the ZooKeeper of versions up to 2.8. */
  controllerPort?: number | undefined;
  /** Session of a group member (KIP-848), default 8 000 (Kafka's own: 45 000). Members of classic groups choose theirs. */
  sessionTimeoutMs?: number | undefined;
  heartbeatIntervalMs?: number | undefined;
  /** Java heap in MiB, default 128: enough for functional tests; 256 with transactions under load, 1024 for benchmarks. */
  heapMb?: number | undefined;
  /** More flags for the JVM. */
  jvmFlags?: readonly string[] | undefined;
  extraProperties?: BrokerPropertyValues | undefined;
  /** TLS, SASL and ACLs, on listeners beside the plaintext one. Versions from 2.8 on. */
  security?: LocalKafkaSecurity | undefined;
  rack?: string | undefined;
  /**
   * `host:port` under which the metadata name the plaintext listener, when it isn't the address of the listener itself. Brokers speak
   * to each other over a listener of their own then (from 0.10.2 on).
   */
  advertised?: ((broker: { nodeId: number; port: number }) => string) | undefined;
  /** Where to write down the process, so that a later run can end it if we can't. */
  pidFile?: string | undefined;
  /** Lines of the broker's own log (warnings and errors). */
  log?: ((line: string) => void) | undefined;
}

export interface LocalKafka {
  readonly version: KafkaVersion;
  readonly nodeId: number;
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
  /** SIGKILL; settles when the process is gone. A ZooKeeper goes on. */
  kill(): Promise<void>;
  pause(): void;
  resume(): void;
  /** Stops if running, starts on the same ports and data, waits until ready. */
  restart(): Promise<void>;
}
