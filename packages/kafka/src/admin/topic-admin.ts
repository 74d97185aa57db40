/** Topics from outside. The controller changes them, and leaders delete records; since Kafka 2.8 (KRaft) any broker passes on what is for the controller. */
import { setTimeout as delay } from "node:timers/promises";
import { PenstockError } from "@penstock/core";
import type { TopicMetadata } from "../cluster/cluster.ts";
import type { KafkaCluster } from "../cluster/kafka-cluster.ts";
import { KAFKA, kafkaRefusal } from "../cluster/kafka-error.ts";
import { EARLIEST, LATEST, type ListedOffset, listOffsets } from "../cluster/log-ends.ts";
import {
  CREATE_PARTITIONS,
  CREATE_TOPICS,
  DELETE_RECORDS,
  DELETE_TOPICS,
} from "../cluster/versions/admin-apis.ts";
import { ask, bestVersion } from "../cluster/versions/ask.ts";

export interface NewTopic {
  readonly partitions: number;
  /** Default: the brokers' own; 1 on those that don't say it (before Kafka 2.4). */
  readonly replicationFactor?: number;
  readonly configs?: Readonly<Record<string, string>>;
}

const TIMEOUT_MS = 5_000;
/** Version of CreateTopics. */
const OWN_REPLICATION_SINCE = 4;
const VISIBLE_LIMIT_MS = 10_000;
const LOOK_INTERVAL_MS = 50;

/** Creates a topic and waits until its partitions have leaders. Resolves with its id. */
export async function createTopic(
  cluster: KafkaCluster,
  topic: string,
  { partitions, replicationFactor, configs = {} }: NewTopic,
): Promise<string> {
  const connection = await cluster.controllerConnection();
  const { version = 0 } = bestVersion(cluster, connection, CREATE_TOPICS) ?? {};
  const wanted = {
    name: topic,
    numPartitions: partitions,
    replicationFactor: replicationFactor ?? (version < OWN_REPLICATION_SINCE ? 1 : -1),
    assignments: [],
    configs: Object.entries(configs).map(([name, value]) => ({ name, value })),
  };
  const response = await ask(cluster, connection, CREATE_TOPICS, [wanted], TIMEOUT_MS, false);
  const made = response.topics[0];
  if (made?.errorCode === KAFKA.topicAlreadyExists)
    throw new PenstockError("conflict", `The topic "${topic}" exists already.`);
  refuse(made?.errorCode, topic);
  await untilKnown(cluster, topic, hasLeaders(partitions));
  return (await cluster.metadata(topic)).topicId;
}

/** Deletes a topic and waits until a broker no longer knows it. */
export async function deleteTopic(cluster: KafkaCluster, topic: string): Promise<void> {
  const connection = await cluster.controllerConnection();
  const response = await ask(cluster, connection, DELETE_TOPICS, [{ name: topic }], TIMEOUT_MS);
  cluster.invalidate(topic);
  refuse(response.responses[0]?.errorCode, topic);
  await untilKnown(cluster, topic, (metadata) => metadata === null);
}

/** Raises the number of partitions to `count` and waits until the new ones have leaders. */
export async function addPartitions(
  cluster: KafkaCluster,
  topic: string,
  count: number,
): Promise<void> {
  const connection = await cluster.controllerConnection();
  const wanted = [{ name: topic, count, assignments: null }];
  const response = await ask(cluster, connection, CREATE_PARTITIONS, wanted, TIMEOUT_MS, false);
  refuse(response.results[0]?.errorCode, topic);
  await untilKnown(cluster, topic, hasLeaders(count));
}

/** Removes the records below the given offsets. */
export async function deleteRecords(
  cluster: KafkaCluster,
  topic: string,
  before: ReadonlyMap<number, bigint>,
): Promise<void> {
  const metadata = await cluster.metadata(topic);
  for (const [partitionIndex, offset] of before) {
    const leader = metadata.partitions.find((row) => row.partition === partitionIndex)?.leader;
    if (leader === undefined) throw kafkaRefusal(KAFKA.unknownTopicOrPartition, topic);
    const connection = await cluster.brokerConnection(leader, "control");
    const wanted = [{ name: topic, partitions: [{ partitionIndex, offset }] }];
    const response = await ask(cluster, connection, DELETE_RECORDS, wanted, TIMEOUT_MS);
    refuse(response.topics[0]?.partitions[0]?.errorCode, topic);
  }
}

export type OffsetSpec = "earliest" | "latest" | { readonly timestampMs: number };

/**
 * One offset for each partition. `latest` is the last stable offset, the end of what readers of committed data see; a time gives the first
 * record at or after it, offset -1 when there is none. Rejects when one partition can't be had.
 */
export async function offsetsOf(
  cluster: KafkaCluster,
  topic: string,
  spec: OffsetSpec,
): Promise<Map<number, ListedOffset>> {
  const { partitions } = await cluster.metadata(topic);
  const timestamp =
    spec === "earliest"
      ? EARLIEST
      : spec === "latest"
        ? LATEST
        : BigInt(Math.trunc(spec.timestampMs));
  const found = new Map<number, ListedOffset>();
  let problem: PenstockError | null = null;
  const ids = partitions.map(({ partition }) => partition);
  await listOffsets(cluster, topic, ids, timestamp, "readCommitted", (partition, result) => {
    if (result instanceof PenstockError) problem ??= result;
    else found.set(partition, result);
  });
  if (problem) throw problem;
  return found;
}

/** Answers of brokers that haven't heard of a change yet are expected for a moment. */
async function untilKnown(
  cluster: KafkaCluster,
  topic: string,
  isKnown: (metadata: TopicMetadata | null) => boolean,
): Promise<void> {
  const deadline = AbortSignal.timeout(VISIBLE_LIMIT_MS);
  while (!deadline.aborted) {
    cluster.invalidate(topic);
    if (isKnown(await cluster.metadata(topic).catch(missing))) return;
    await delay(LOOK_INTERVAL_MS);
  }
  throw kafkaRefusal(KAFKA.leaderNotAvailable, `topic "${topic}"`);
}

function hasLeaders(count: number): (metadata: TopicMetadata | null) => boolean {
  return (metadata) =>
    (metadata?.partitions.filter(({ leader }) => leader >= 0).length ?? 0) >= count;
}

function missing(error: unknown): TopicMetadata | null {
  if (error instanceof PenstockError && error.code === "kafkaTopicMissing") return null;
  throw error;
}

function refuse(code: number | undefined, topic: string): void {
  if (code !== KAFKA.none) throw kafkaRefusal(code ?? KAFKA.unknownServerError, `topic "${topic}"`);
}
