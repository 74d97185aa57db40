/**
 * Metadata of topics: brokers, leaders, ids. kafkajs asks for it too, but its `parse` gives up the whole answer for one topic that was deleted or one partition
 * that has no leader, and its newest version is older than the ids of topics, by which pinned starts and archived offsets are kept.
 *
 * Always true: what is wrong with one topic is in its row and touches no other; a partition without a leader has the leader -1.
 */
import { NO_TOPIC_ID } from "../../cluster/cluster.ts";
import {
  API_KEYS,
  type KafkajsBroker,
  type KafkajsCluster,
  requestFamily,
  WireEncoderClass,
  type WireExchange,
} from "./kafkajs-internals.ts";
import { PayloadReader } from "./payload-reader.ts";

export interface ClusterMetadata {
  readonly brokers: readonly {
    readonly nodeId: number;
    readonly host: string;
    readonly port: number;
    readonly rack: string | null;
  }[];
  readonly topics: readonly TopicRow[];
  /** For kafkajs, which waits so long before its next request. */
  readonly clientSideThrottleTime?: number | undefined;
}

interface TopicRow {
  readonly errorCode: number;
  readonly topic: string;
  /** NO_TOPIC_ID when the broker has none. */
  readonly topicId: string;
  /** Node id of the leader by partition; -1 while there is none. */
  readonly leaders: ReadonlyMap<number, number>;
}

const NAME = "Metadata";
/** With ids: Kafka 2.8 and later. */
const ID_VERSION_MIN = 11;
const ID_VERSION_MAX = 12;

/** From now on the cluster asks for this topic and no other, whoever in kafkajs wants metadata; and each broker for its own versions, which differ during a roll. */
export function askOnlyFor(topic: string, cluster: KafkajsCluster): void {
  const { brokerPool } = cluster;
  const { createBroker } = brokerPool;
  brokerPool.createBroker = (options) => {
    const broker = createBroker({ ...options, versions: null });
    broker.metadata = () => readMetadata(broker, [topic]);
    return broker;
  };
}

/** At least one topic: none would mean all. */
export async function readMetadata(
  broker: KafkajsBroker,
  topics: readonly string[],
): Promise<ClusterMetadata> {
  const offered = broker.versions[API_KEYS[NAME] as number]?.maxVersion ?? 0;
  const exchange =
    offered < ID_VERSION_MIN
      ? olderExchange(offered, topics)
      : exchangeWithIds(Math.min(offered, ID_VERSION_MAX), topics);
  return (await broker.connectionPool.send(exchange)) as ClusterMetadata;
}

interface OlderAnswer {
  readonly brokers: readonly { nodeId: number; host: string; port: number; rack?: string | null }[];
  readonly topicMetadata: readonly {
    readonly topicErrorCode: number;
    readonly topic: string;
    readonly partitionMetadata: readonly { partitionId: number; leader: number }[];
  }[];
  readonly clientSideThrottleTime?: number;
}

function olderExchange(offered: number, topics: readonly string[]): WireExchange {
  const family = requestFamily(NAME);
  const version = Math.min(offered, Math.max(...family.versions.map(Number)));
  const exchange = family.protocol({ version })({ topics, allowAutoTopicCreation: false });
  const { response } = exchange;
  const decode = async (payload: Buffer): Promise<ClusterMetadata> => {
    const answer = (await response.decode(payload)) as OlderAnswer;
    return {
      brokers: answer.brokers.map((row) => ({ ...row, rack: row.rack || null })),
      topics: answer.topicMetadata.map(({ topicErrorCode, topic, partitionMetadata }) => ({
        errorCode: topicErrorCode,
        topic,
        topicId: NO_TOPIC_ID,
        leaders: new Map(partitionMetadata.map(({ partitionId, leader }) => [partitionId, leader])),
      })),
      clientSideThrottleTime: answer.clientSideThrottleTime,
    };
  };
  return { ...exchange, response: { decode, parse: async (data: unknown) => data } };
}

function exchangeWithIds(apiVersion: number, topics: readonly string[]): WireExchange {
  return {
    request: {
      apiKey: API_KEYS[NAME] as number,
      apiVersion,
      apiName: NAME,
      encode: async () => new WireEncoderClass().writeBuffer(request(topics)),
    },
    response: {
      decode: async (payload) => readAnswer(new PayloadReader(payload)),
      parse: async (data) => data,
    },
  };
}

const NO_TAGS = Buffer.of(0);
const NO_AUTO_CREATION = Buffer.of(0);
const NO_OPERATIONS = Buffer.of(0);

/** Begins with the tagged fields of the header, which kafkajs leaves out. */
function request(topics: readonly string[]): Buffer {
  const rows = topics.flatMap((topic) => {
    const name = Buffer.from(topic);
    return [Buffer.alloc(16), uvarint(name.length + 1), name, NO_TAGS];
  });
  const count = uvarint(topics.length + 1);
  return Buffer.concat([NO_TAGS, count, ...rows, NO_AUTO_CREATION, NO_OPERATIONS, NO_TAGS]);
}

function uvarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) bytes.push((rest & 127) | 128);
  return Buffer.of(...bytes, rest);
}

function readAnswer(reader: PayloadReader): ClusterMetadata {
  reader.skipTags();
  const clientSideThrottleTime = reader.int32();
  const brokers = reader.compactArray(() => {
    const nodeId = reader.int32();
    const host = reader.compactString();
    const port = reader.int32();
    const rack = reader.compactString() || null;
    reader.skipTags();
    return { nodeId, host, port, rack };
  });
  reader.compactString();
  reader.int32();
  const topics = reader.compactArray(() => readTopic(reader));
  return { brokers, topics, clientSideThrottleTime };
}

function readTopic(reader: PayloadReader): TopicRow {
  const errorCode = reader.int16();
  const topic = reader.compactString();
  const topicId = reader.uuid();
  reader.int8();
  const leaders = reader.compactArray((): [number, number] => {
    reader.int16();
    const partition = reader.int32();
    const leader = reader.int32();
    reader.int32();
    for (let list = 0; list < 3; list++) reader.compactArray(() => reader.int32());
    reader.skipTags();
    return [partition, leader];
  });
  reader.int32();
  reader.skipTags();
  return { errorCode, topic, topicId, leaders: new Map(leaders) };
}
