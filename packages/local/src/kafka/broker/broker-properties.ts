/** The settings of the local broker: one node, broker and controller in one, loopback only, fast group changes. */
import type { SecuredListeners } from "./secured-listeners.ts";

export interface BrokerSettings {
  dataDir: string;
  port: number;
  controllerPort: number;
  /** Session of a consumer-group member; Kafka's own default is 45 s. */
  sessionTimeoutMs?: number | undefined;
  heartbeatIntervalMs?: number | undefined;
  secured?: Pick<SecuredListeners, "properties" | "addresses" | "protocols"> | undefined;
  /** Anything else, or other values for the lines below. */
  extraProperties?: Readonly<Record<string, string | number | boolean>> | undefined;
}

export function brokerProperties(settings: BrokerSettings): string {
  const sessionTimeoutMs = settings.sessionTimeoutMs ?? 8_000;
  const heartbeatIntervalMs = settings.heartbeatIntervalMs ?? 1_000;
  const { secured } = settings;
  const clients = `PLAINTEXT://127.0.0.1:${settings.port}${more(secured?.addresses)}`;
  const properties: Record<string, string | number | boolean> = {
    "process.roles": "broker,controller",
    "node.id": 1,
    "controller.quorum.voters": `1@127.0.0.1:${settings.controllerPort}`,
    listeners: `${clients},CONTROLLER://127.0.0.1:${settings.controllerPort}`,
    "advertised.listeners": clients,
    "controller.listener.names": "CONTROLLER",
    "listener.security.protocol.map": `PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT${more(secured?.protocols)}`,
    "log.dirs": settings.dataDir,
    "offsets.topic.replication.factor": 1,
    "offsets.topic.num.partitions": 1,
    "transaction.state.log.replication.factor": 1,
    "transaction.state.log.min.isr": 1,
    "transaction.state.log.num.partitions": 1,
    "share.coordinator.state.topic.replication.factor": 1,
    "share.coordinator.state.topic.min.isr": 1,
    "share.coordinator.state.topic.num.partitions": 1,
    "group.initial.rebalance.delay.ms": 0,
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
    // A killed broker comes back on the same data only after its old session has ended.
    "broker.session.timeout.ms": 2_000,
    "broker.heartbeat.interval.ms": 500,
    "auto.create.topics.enable": false,
    ...secured?.properties,
    ...settings.extraProperties,
  };
  return `${Object.entries(properties)
    .map(([key, value]) => `${key}=${value}`)
    .join("\n")}\n`;
}

function more(list: string | undefined): string {
  return list === undefined ? "" : `,${list}`;
}
