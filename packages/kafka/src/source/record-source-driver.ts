/** Opens native record sources; those of one cluster and the same security share its control connections. */
import type {
  Clock,
  DriverCapabilities,
  RecordSource,
  RecordSourceDriver,
  RecordSourceEvents,
  RecordSourceOptions,
} from "@penstock/core";
import { Clusters } from "../cluster/clusters.ts";
import type { KafkaClusterOptions } from "../cluster/kafka-cluster.ts";
import type { KafkaLog } from "../cluster/log.ts";
import { readLogEnds } from "../cluster/log-ends.ts";
import type { AddressGuard } from "../connection/dial.ts";
import { Fetcher } from "../fetch/fetcher.ts";
import { CLASSIC_SESSION_TIMEOUT_MS } from "../group/classic/session-timeouts.ts";
import { sendOffsetCommit } from "../group/offset-wire.ts";
import type { GroupProtocol } from "../group/open-membership.ts";
import { openMembership } from "../group/open-membership.ts";
import { MemberRecordSource } from "./member-record-source.ts";
import { startsOf } from "./read-starts.ts";
import { TopicWatch } from "./topic-watch.ts";

export type { GroupProtocol };

export interface RecordSourceDriverOptions
  extends Pick<
    KafkaClusterOptions,
    "connectTimeoutMs" | "requestTimeoutMs" | "fetchRequestTimeoutMs" | "apiVersionsMax"
  > {
  readonly clock: Clock;
  readonly log: KafkaLog;
  /** Shown in the brokers' logs and group descriptions. */
  readonly clientId: string;
  /** Judges every broker address before it is dialled (S-07). */
  readonly addressGuard?: AddressGuard | undefined;
  /** Default "auto": consumer (KIP-848) where the broker offers it and the group takes it, else classic. */
  readonly groupProtocol?: GroupProtocol | undefined;
  /** Session of members of classic groups, where the member chooses it, ms. Default 45 000, Kafka's own. */
  readonly classicSessionTimeoutMs?: number | undefined;
  /** client.rack: fetch from the nearest replica (KIP-392). "" = from leaders. */
  readonly rack?: string | undefined;
  /** How long a broker may hold a fetch while it has nothing. Default: the fetcher's. */
  readonly fetchMaxWaitMs?: number | undefined;
}

const NATIVE_CAPABILITIES: DriverCapabilities = {
  driver: "native",
  drainsBeforeRevoke: true,
  rebalancesIncrementally: true,
  speaksConsumerProtocol: true,
  keepsStaticMembers: true,
  readsNearestReplica: true,
  sharesConnections: true,
  oldestKafka: "0.11",
};

export function createRecordSourceDriver(options: RecordSourceDriverOptions): RecordSourceDriver {
  const { fetchMaxWaitMs, groupProtocol, classicSessionTimeoutMs, rack, ...clusterOptions } =
    options;
  const clusters = new Clusters(clusterOptions);
  const { clock, log } = options;

  function open(source: RecordSourceOptions, events: RecordSourceEvents): RecordSource {
    const { topic, groupId, drainLimitMs, groupInstanceId = null } = source;
    const { cluster, release } = clusters.acquire(source.bootstrapServers, source.security);
    return new MemberRecordSource(
      {
        groupId,
        openMembership: (membershipEvents) =>
          openMembership(
            {
              ...{ cluster, groupId, topic, drainLimitMs, groupInstanceId, clock, log },
              protocol: groupProtocol ?? "auto",
              sessionTimeoutMs: classicSessionTimeoutMs ?? CLASSIC_SESSION_TIMEOUT_MS,
              rack: rack ?? "",
            },
            membershipEvents,
          ),
        openFetcher: (fetcherEvents) =>
          new Fetcher(
            cluster,
            {
              topic,
              clock,
              fetchBytesMax: source.fetchBytesMax,
              fetchPartitionBytesMax: source.fetchPartitionBytesMax,
              inflatedBytesMax: source.inflatedBytesMax,
              ...(fetchMaxWaitMs === undefined ? {} : { maxWaitMs: fetchMaxWaitMs }),
              ...(rack ? { clientRack: rack } : {}),
              countMemory: source.countMemory,
              ...(source.observeFetch && { observeFetch: source.observeFetch }),
            },
            fetcherEvents,
          ),
        sendCommit: async (to, rows) => {
          const nodeId = await cluster.coordinator(groupId);
          const connection = await cluster.brokerConnection(nodeId, "commit");
          return sendOffsetCommit(cluster, connection, to, rows);
        },
        coordinatorElsewhere: () => cluster.invalidateCoordinator(groupId),
        readStarts: startsOf(cluster, groupId, topic),
        watchTopic: (tell) => new TopicWatch(cluster, topic, tell),
        readEnds: (partitions, told) => readLogEnds(cluster, topic, partitions, told),
        closed: () => {
          cluster.forgetGroup(groupId);
          release();
        },
      },
      events,
    );
  }

  return {
    capabilities: NATIVE_CAPABILITIES,
    open,
    close: async () => clusters.close(),
  };
}
