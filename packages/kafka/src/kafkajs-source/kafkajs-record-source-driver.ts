/**
 * Opens record sources over kafkajs: for brokers that the native driver can't speak to, and as a fallback for an unforeseen one (PENSTOCK_KAFKA_DRIVER=kafkajs). Each
 * has its own connections, two to each broker that it needs.
 *
 * Duplicates: a rebalance asks all partitions back and waits until their calls end and are committed, so it repeats nothing when they end within the drain limit. Otherwise,
 * and after a crash or a lost session, what was dispatched and not committed is given again: per partition at most the batches in flight and what
 * settled since the last acknowledged commit.
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
import { MemberRecordSource } from "../source/member-record-source.ts";
import type { RecordSourceDriverOptions } from "../source/record-source-driver.ts";
import { KafkajsClient } from "./client/kafkajs-client.ts";
import { KafkajsFetcher } from "./fetch/kafkajs-fetcher.ts";
import { EagerMembership } from "./group/eager-membership.ts";
import { GroupRequests } from "./group/group-requests.ts";
import { commitOffsets } from "./start/group-offsets.ts";
import { readEnds } from "./start/log-ends.ts";
import { startsOf } from "./start/read-starts.ts";
import { TopicLook } from "./start/topic-look.ts";

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
    const { bootstrapServers, security, topic, groupId, drainLimitMs, fetchBytesMax } = source;
    const client = new KafkajsClient({
      ...{ bootstrapServers, security, addressGuard, topic, clientId, clock, fetchBytesMax },
      ...{ connectTimeoutMs, requestTimeoutMs },
    });
    const requests = new GroupRequests(client, groupId);
    const sessionTimeoutMs = classicSessionTimeoutMs ?? CLASSIC_SESSION_TIMEOUT_MS;
    let hasLeft: () => Promise<void> = async () => {};
    return new MemberRecordSource(
      {
        groupId,
        openMembership: (membershipEvents) => {
          const membership = new EagerMembership(
            { client, requests, groupId, drainLimitMs, sessionTimeoutMs, clock },
            membershipEvents,
          );
          hasLeft = () => membership.left();
          return membership;
        },
        openFetcher: (fetcherEvents) =>
          new KafkajsFetcher(
            { ...source, client, clock, maxWaitMs: fetchMaxWaitMs ?? FETCH_MAX_WAIT_MS },
            fetcherEvents,
          ),
        sendCommit: (to, rows) => commitOffsets(client, requests, to, rows),
        coordinatorElsewhere: () => requests.elsewhere(),
        readStarts: startsOf(client, requests, groupId),
        watchTopic: (tell) => new TopicLook(client, tell),
        readEnds: async (partitions, told) => {
          for (const [partition, ends] of await readEnds(client, partitions)) told(partition, ends);
        },
        // K-11: nothing else that kafkajs does is waited for.
        closed: async () => {
          await hasLeft();
          client.destroy();
        },
      },
      events,
    );
  }

  return { capabilities: KAFKAJS_CAPABILITIES, open, close: async () => {} };
}
