/**
 * The administrator of one cluster: topics, positions, groups. Runs over the same guarded connections as the record source, so it
 * has one way to reach a broker, one error translation, and no timers of its own while idle.
 */
import type { Clock } from "@penstock/core";
import { KafkaCluster, type KafkaClusterOptions } from "../cluster/kafka-cluster.ts";
import type { KafkaLog } from "../cluster/log.ts";
import type { ListedOffset } from "../cluster/log-ends.ts";
import {
  type CommittedOffset,
  committedOffsets,
  deleteGroup,
  describeGroup,
  removeMember,
} from "./group-admin.ts";
import type { GroupDescription } from "./group-description.ts";
import { type NewestRecord, newestRecords } from "./newest-records.ts";
import {
  addPartitions,
  createTopic,
  deleteRecords,
  deleteTopic,
  type NewTopic,
  type OffsetSpec,
  offsetsOf,
} from "./topic-admin.ts";

export interface TopicDescription {
  /** UUID, lower-case hex with dashes; all zeros when the brokers have none. */
  readonly topicId: string;
  readonly partitions: readonly number[];
}

/** Every method rejects with a PenstockError: `kafkaUnavailable`, `kafkaTopicMissing`, `kafkaAuthorization` and so on. */
export interface KafkaAdmin {
  describeTopic(topic: string): Promise<TopicDescription>;
  listOffsets(topic: string, spec: OffsetSpec): Promise<Map<number, ListedOffset>>;
  committedOffsets(groupId: string, topic: string): Promise<Map<number, CommittedOffset>>;
  describeGroup(groupId: string): Promise<GroupDescription>;
  removeMember(groupId: string, memberId: string): Promise<boolean>;
  /** False: there is no such group. Rejects with `inUse` while it has members. */
  deleteGroup(groupId: string): Promise<boolean>;
  /** The newest 1 to 100 records by time, oldest first; at most 4 MiB and 5 s. No consumer group, nothing committed. */
  newestRecords(topic: string, count: number): Promise<NewestRecord[]>;
  createTopic(topic: string, options: NewTopic): Promise<string>;
  deleteTopic(topic: string): Promise<void>;
  addPartitions(topic: string, count: number): Promise<void>;
  deleteRecords(topic: string, before: ReadonlyMap<number, bigint>): Promise<void>;
  close(): Promise<void>;
}

export interface KafkaAdminOptions extends Omit<KafkaClusterOptions, "clock" | "log" | "clientId"> {
  /** Default `penstock-admin`. */
  readonly clientId?: string;
  readonly clock?: Clock;
  /** Default: silent. */
  readonly log?: KafkaLog;
}

const SYSTEM_CLOCK: Clock = { nowMs: () => performance.now(), wallMs: () => Date.now() };
const silent = () => {};
const SILENT: KafkaLog = { debug: silent, info: silent, warn: silent, error: silent };

/** The options with what they leave out. */
export function withDefaults(options: KafkaAdminOptions): KafkaClusterOptions {
  return { clientId: "penstock-admin", clock: SYSTEM_CLOCK, log: SILENT, ...options };
}

export function createAdmin(options: KafkaAdminOptions): KafkaAdmin {
  const clusterOptions = withDefaults(options);
  const { clock } = clusterOptions;
  const cluster = new KafkaCluster(clusterOptions);
  return {
    async describeTopic(topic) {
      // Asked for by people and controllers that want to know how it is now.
      cluster.invalidate(topic);
      const { topicId, partitions } = await cluster.metadata(topic);
      return { topicId, partitions: partitions.map(({ partition }) => partition) };
    },
    listOffsets: (topic, spec) => offsetsOf(cluster, topic, spec),
    committedOffsets: (groupId, topic) => committedOffsets(cluster, groupId, topic),
    describeGroup: (groupId) => describeGroup(cluster, groupId),
    removeMember: (groupId, memberId) => removeMember(cluster, groupId, memberId),
    deleteGroup: (groupId) => deleteGroup(cluster, groupId),
    newestRecords: (topic, count) => newestRecords(cluster, clock, topic, count),
    createTopic: (topic, wanted) => createTopic(cluster, topic, wanted),
    deleteTopic: (topic) => deleteTopic(cluster, topic),
    addPartitions: (topic, count) => addPartitions(cluster, topic, count),
    deleteRecords: (topic, before) => deleteRecords(cluster, topic, before),
    close: async () => cluster.close(),
  };
}
