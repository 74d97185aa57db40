import type { PenstockError } from "@penstock/core";
import type { Connection } from "@platformatic/kafka";

/**
 * One Kafka cluster as seen from this process: what is known of its topics, and the connections to its brokers.
 *
 * Connections are plain ordered pipes: a request waits for the answers of those sent before it on the same connection. Therefore
 * long polls never share a connection with anything ("fetch": one for each owner and broker), and heartbeats and look-ups
 * ("control") don't wait for the disk writes of commits ("commit"); both of the latter are shared by all members of this process. A member of a
 * classic group waits in JoinGroup and SyncGroup for the slowest of the others, so it has a connection of its own for these ("join").
 *
 * Everything that rejects rejects with a PenstockError: `kafkaUnavailable`, `kafkaAuthentication`, `kafkaAuthorization`,
 * `kafkaTopicMissing`, `kafkaUnsupported`, `kafkaCorrupt` or `addressDenied`.
 */
export interface Cluster {
  /** Cached; read again after `invalidate` and when older than 30 s. Concurrent calls share one request. */
  metadata(topic: string): Promise<TopicMetadata>;
  /** Asks anew, in one request, and caches nothing: for topics of others. Refusals are for each topic. */
  lookAt(topics: readonly string[]): Promise<ReadonlyMap<string, TopicMetadata | PenstockError>>;
  /** What is cached of a topic is known to be wrong (a leader moved, an id changed). Cheap; reading again is paced. */
  invalidate(topic: string): void;
  /** Node id of the group's coordinator, cached until `invalidateCoordinator`. */
  coordinator(groupId: string): Promise<number>;
  invalidateCoordinator(groupId: string): void;
  /**
   * An open connection to a broker; dials when there is none, after a jittered backoff when the last attempts failed. `owner` is
   * required for "fetch" and "join": those connections are its own, and end with `closeOwner`.
   */
  brokerConnection(nodeId: number, purpose: ConnectionPurpose, owner?: object): Promise<Connection>;
  /** Closes the connections of an owner. */
  closeOwner(owner: object): void;
  /** Highest version of an API that the broker behind a connection offers and that is at most `versionMax`; -1 when none. */
  apiVersion(connection: Connection, apiKey: number, versionMax: number): number;
}

export type ConnectionPurpose = "control" | "commit" | "fetch" | "join";

export { mayBeSameTopic, NO_TOPIC_ID } from "@penstock/core";

export interface TopicMetadata {
  readonly topic: string;
  /** UUID, lower-case hex with dashes; {@link NO_TOPIC_ID} when the brokers have none. */
  readonly topicId: string;
  readonly partitions: readonly PartitionMetadata[];
  readonly brokers: readonly BrokerMetadata[];
}

export interface PartitionMetadata {
  readonly partition: number;
  /** Node id of the leader; -1 while there is none. */
  readonly leader: number;
  /** -1: the broker doesn't tell (before Kafka 2.1). */
  readonly leaderEpoch: number;
  /** Node ids of the replicas in sync, the leader among them. */
  readonly inSync: readonly number[];
}

export interface BrokerMetadata {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
  readonly rack: string | null;
}
