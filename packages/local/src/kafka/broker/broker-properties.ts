/** The settings of a local broker: loopback only, small, fast group and leader changes. */
import { type KafkaRelease, kafkaRelease } from "../kafka-versions.ts";
import type { BrokerPropertyValues, LocalKafkaOptions } from "../local-kafka.ts";
import type { SecuredListeners } from "./secured-listeners.ts";

export interface BrokerSettings
  extends Pick<
    LocalKafkaOptions,
    "sessionTimeoutMs" | "heartbeatIntervalMs" | "rack" | "extraProperties"
  > {
  /** Default: the newest. */
  release?: KafkaRelease;
  dataDir: string;
  port: number;
  /** Of the controller, which is node 1, or of ZooKeeper. */
  controllerPort: number;
  /** Default 1: the node that is broker and controller in one. Others are brokers only. */
  nodeId?: number | undefined;
  /** Of the topics that the brokers keep for themselves; default 1 and 1. */
  replication?: InternalReplication | undefined;
  secured?: Pick<SecuredListeners, "properties" | "addresses" | "protocols"> | undefined;
  /** Where clients are sent, `host:port`, when it isn't the port; and the port for the other brokers then. */
  advertised?: { readonly address: string; readonly internalPort: number } | undefined;
}

export interface InternalReplication {
  readonly factor: number;
  readonly minIsr: number;
}

export function brokerProperties(settings: BrokerSettings): string {
  const { metadata } = settings.release ?? kafkaRelease();
  const properties: BrokerPropertyValues = {
    ...(metadata === "kraft" ? kraft(settings) : zookeeper(settings)),
    ...common(settings),
    ...settings.secured?.properties,
    ...settings.extraProperties,
  };
  return `${Object.entries(properties)
    .map(([key, value]) => `${key}=${value}`)
    .join("\n")}\n`;
}

function kraft(settings: BrokerSettings): BrokerPropertyValues {
  const { nodeId = 1, controllerPort } = settings;
  const isController = nodeId === 1;
  const { listeners, advertised, protocols, more } = addresses(settings);
  return {
    "process.roles": isController ? "broker,controller" : "broker",
    "node.id": nodeId,
    "controller.quorum.voters": `1@127.0.0.1:${controllerPort}`,
    listeners: `${listeners}${isController ? `,CONTROLLER://127.0.0.1:${controllerPort}` : ""}`,
    "advertised.listeners": advertised,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": `CONTROLLER:PLAINTEXT,${protocols}`,
    ...more,
    // A killed broker comes back on the same data only after its old session has ended.
    "broker.session.timeout.ms": 2_000,
    "broker.heartbeat.interval.ms": 500,
  };
}

function zookeeper(settings: BrokerSettings): BrokerPropertyValues {
  const { listeners, advertised, protocols, more } = addresses(settings);
  return {
    "broker.id": settings.nodeId ?? 1,
    "zookeeper.connect": `127.0.0.1:${settings.controllerPort}`,
    // As above; longer, because a broker that lost its session doesn't always find back.
    "zookeeper.session.timeout.ms": 3_000,
    "zookeeper.connection.timeout.ms": 30_000,
    listeners,
    "advertised.listeners": advertised,
    "listener.security.protocol.map": protocols,
    ...more,
    "controlled.shutdown.retry.backoff.ms": 200,
    // The defaults of old versions differ.
    "delete.topic.enable": true,
    "unclean.leader.election.enable": false,
  };
}

function addresses({ port, secured, advertised, release }: BrokerSettings) {
  const own = `PLAINTEXT://127.0.0.1:${port}`;
  const shown = advertised ? `PLAINTEXT://${advertised.address}` : own;
  const isInternal = advertised !== undefined && release?.version !== "0.10.1";
  const internal = isInternal ? `,INTERNAL://127.0.0.1:${advertised.internalPort}` : "";
  const others = `${internal}${more(secured?.addresses)}`;
  return {
    listeners: `${own}${others}`,
    advertised: `${shown}${others}`,
    protocols: `PLAINTEXT:PLAINTEXT${isInternal ? ",INTERNAL:PLAINTEXT" : ""}${more(secured?.protocols)}`,
    more: isInternal ? { "inter.broker.listener.name": "INTERNAL" } : {},
  };
}

function common(settings: BrokerSettings): BrokerPropertyValues {
  const { sessionTimeoutMs = 8_000, heartbeatIntervalMs = 1_000, rack } = settings;
  const { factor, minIsr } = settings.replication ?? { factor: 1, minIsr: 1 };
  return {
    "log.dirs": settings.dataDir,
    ...(rack === undefined
      ? {}
      : {
          "broker.rack": rack,
          "replica.selector.class": "org.apache.kafka.common.replica.RackAwareReplicaSelector",
        }),
    "offsets.topic.replication.factor": factor,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": factor,
    "transaction.state.log.min.isr": minIsr,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": factor,
    "share.coordinator.state.topic.min.isr": minIsr,
    "share.coordinator.state.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
    // Members of classic groups may ask for short sessions.
    "group.min.session.timeout.ms": 1_000,
    "group.coordinator.threads": 1,
    // 0: a new assignment is computed when a member joins, not up to a second later.
    "group.consumer.assignment.interval.ms": 0,
    "group.share.assignment.interval.ms": 0,
    "group.consumer.min.session.timeout.ms": Math.min(6_000, sessionTimeoutMs),
    "group.consumer.session.timeout.ms": sessionTimeoutMs,
    "group.consumer.max.session.timeout.ms": Math.max(60_000, sessionTimeoutMs),
    "group.consumer.min.heartbeat.interval.ms": Math.min(500, heartbeatIntervalMs),
    "group.consumer.heartbeat.interval.ms": heartbeatIntervalMs,
    "num.network.threads": 2,
    "num.io.threads": 2,
    "background.threads": 2,
    // The default of 128 MB doesn't fit the small heap.
    "log.cleaner.dedupe.buffer.size": 2_097_152,
    "log.cleaner.io.buffer.size": 65_536,
    "auto.create.topics.enable": false,
  };
}

function more(list: string | undefined): string {
  return list === undefined ? "" : `,${list}`;
}
