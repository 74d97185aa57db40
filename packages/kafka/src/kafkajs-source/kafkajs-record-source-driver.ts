/**
 * Opens record sources over kafkajs: for brokers that the native driver can't speak to, and as a fallback for an unforeseen one (PENSTOCK_KAFKA_DRIVER=kafkajs). Each
 * has its own connections, two to each broker that it needs.
 */
import {
  type DriverCapabilities,
  PenstockError,
  type RecordSource,
  type RecordSourceDriver,
  type RecordSourceEvents,
  type RecordSourceOptions,
} from "@penstock/core";
import { CLASSIC_SESSION_TIMEOUT_MS } from "../group/classic/session-timeouts.ts";
import type { RecordSourceDriverOptions } from "../source/record-source-driver.ts";
import { KafkajsClient } from "./client/kafkajs-client.ts";
import { KafkajsRecordSource } from "./kafkajs-record-source.ts";

export const KAFKAJS_CAPABILITIES: DriverCapabilities = {
  driver: "kafkajs",
  drainsBeforeRevoke: true,
  rebalancesIncrementally: false,
  speaksConsumerProtocol: false,
  keepsStaticMembers: false,
  readsNearestReplica: false,
  sharesConnections: false,
  oldestKafka: "0.10.1",
};

/** A paused lane that comes back waits for the end of the present long poll, so this is shorter than that of the native driver. */
const FETCH_MAX_WAIT_MS = 250;

/** Throws PenstockError(invalidArgument) for options that the driver can't follow. */
export function createKafkajsRecordSourceDriver(
  options: RecordSourceDriverOptions,
): RecordSourceDriver {
  const { clock, clientId, addressGuard, groupProtocol, fetchMaxWaitMs } = options;
  const { connectTimeoutMs, requestTimeoutMs, classicSessionTimeoutMs } = options;
  if (groupProtocol === "consumer")
    throw new PenstockError(
      "invalidArgument",
      "The kafkajs driver doesn't speak the consumer protocol of groups (KIP-848).",
    );

  function open(source: RecordSourceOptions, events: RecordSourceEvents): RecordSource {
    const { bootstrapServers, security, topic, fetchBytesMax } = source;
    const client = new KafkajsClient({
      ...{ bootstrapServers, security, addressGuard, topic, clientId, clock, fetchBytesMax },
      ...{ connectTimeoutMs, requestTimeoutMs },
    });
    const parts = {
      client,
      clock,
      sessionTimeoutMs: classicSessionTimeoutMs ?? CLASSIC_SESSION_TIMEOUT_MS,
      fetchMaxWaitMs: fetchMaxWaitMs ?? FETCH_MAX_WAIT_MS,
    };
    return new KafkajsRecordSource(parts, source, events);
  }

  return { capabilities: KAFKAJS_CAPABILITIES, open, close: async () => {} };
}
