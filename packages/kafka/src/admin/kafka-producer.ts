/**
 * A producer for the quick start and for tests: kafkajs, which is an independent second opinion on what the rest of this package reads.
 *
 * Guarded: acks=all always; a bounded number of retries; its logs go to ours and nowhere else; its idle timers are stopped; the codecs it
 * lacks (snappy, lz4, zstd) are not offered. A retry may write records twice unless `isIdempotent`.
 */
import { PenstockError, type SaslCredentials, type SourceSecurity } from "@penstock/core";
import {
  CompressionTypes,
  Kafka,
  type KafkaConfig,
  type LogEntry,
  logLevel,
  type SASLOptions,
} from "kafkajs";
import { parseServer } from "../cluster/bootstrap-server.ts";
import type { KafkaLog } from "../cluster/log.ts";
import { guardKafkajsTimers } from "./kafkajs-timer-guard.ts";

export interface ProducerRecord {
  readonly key?: Buffer | string | null;
  readonly value: Buffer | string | null;
  readonly partition?: number;
  readonly headers?: Readonly<Record<string, Buffer | string>>;
  readonly timestampMs?: number;
}

export interface KafkaProducer {
  /** Resolves when all in-sync replicas have the records; rejects with PenstockError. */
  send(topic: string, records: readonly ProducerRecord[]): Promise<void>;
  close(): Promise<void>;
}

export interface KafkaProducerOptions {
  readonly bootstrapServers: readonly string[];
  /** Default `penstock-producer`. */
  readonly clientId?: string;
  /** No duplicates by retries. Default false. */
  readonly isIdempotent?: boolean;
  readonly compression?: "none" | "gzip";
  /** Default: silent. */
  readonly log?: KafkaLog;
  /** Asked once, for the first bootstrap server. Absent = plaintext without authentication. */
  readonly security?: SourceSecurity;
}

const ACKS_ALL = -1;
const TIMEOUT_MS = 10_000;

export async function createProducer(options: KafkaProducerOptions): Promise<KafkaProducer> {
  const { isIdempotent = false, log } = options;
  guardKafkajsTimers();
  const kafka = new Kafka({
    ...(await secured(options)),
    clientId: options.clientId ?? "penstock-producer",
    brokers: [...options.bootstrapServers],
    connectionTimeout: 5_000,
    requestTimeout: TIMEOUT_MS,
    retry: { initialRetryTime: 100, maxRetryTime: 2_000, retries: 8 },
    logLevel: log ? logLevel.WARN : logLevel.NOTHING,
    logCreator: () => (entry: LogEntry) => log?.warn("kafkajs", { detail: entry.log.message }),
  });
  const producer = kafka.producer({
    allowAutoTopicCreation: false,
    idempotent: isIdempotent,
    ...(isIdempotent ? { maxInFlightRequests: 1 } : {}),
  });
  await translated(producer.connect());
  return {
    async send(topic, records) {
      await translated(
        producer.send({
          topic,
          acks: ACKS_ALL,
          timeout: TIMEOUT_MS,
          compression:
            options.compression === "gzip" ? CompressionTypes.GZIP : CompressionTypes.None,
          messages: records.map(({ key, value, partition, headers, timestampMs }) => ({
            key: key ?? null,
            value,
            ...(partition === undefined ? {} : { partition }),
            ...(headers ? { headers: { ...headers } } : {}),
            ...(timestampMs === undefined ? {} : { timestamp: String(timestampMs) }),
          })),
        }),
      );
    },
    close: () => translated(producer.disconnect()),
  };
}

async function secured({
  security,
  bootstrapServers,
}: KafkaProducerOptions): Promise<Pick<KafkaConfig, "ssl" | "sasl">> {
  if (!security) return {};
  const { host, port } = parseServer(bootstrapServers[0] ?? "");
  const { tls, sasl } = await security.credentials(host, port);
  return {
    ...(tls && {
      ssl: {
        ...(tls.ca === null ? {} : { ca: tls.ca }),
        ...(tls.certificate === null ? {} : { cert: tls.certificate }),
        ...(tls.privateKey === null ? {} : { key: tls.privateKey }),
        ...(tls.privateKeyPassword === null ? {} : { passphrase: tls.privateKeyPassword }),
      },
    }),
    ...(sasl && { sasl: saslOptions(sasl) }),
  };
}

function saslOptions(sasl: SaslCredentials): SASLOptions {
  if (sasl.mechanism === "OAUTHBEARER")
    return {
      mechanism: "oauthbearer",
      oauthBearerProvider: async () => ({ value: sasl.token }),
    };
  const { username, password } = sasl;
  switch (sasl.mechanism) {
    case "PLAIN":
      return { mechanism: "plain", username, password };
    case "SCRAM-SHA-256":
      return { mechanism: "scram-sha-256", username, password };
    case "SCRAM-SHA-512":
      return { mechanism: "scram-sha-512", username, password };
  }
}

async function translated<T>(operation: Promise<T>): Promise<T> {
  try {
    return await operation;
  } catch (cause) {
    throw new PenstockError("kafkaUnavailable", "The records could not be produced.", { cause });
  }
}
