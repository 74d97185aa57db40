/**
 * The id of a topic, which kafkajs doesn't know of: its newest version of Metadata is older than ids. Pinned starts and archived offsets are kept by it, so it is asked
 * for by hand where the brokers have one (Metadata 11 and 12, Kafka 2.8 and later).
 */
import { PenstockError } from "@penstock/core";
import { NO_TOPIC_ID } from "../../cluster/cluster.ts";
import { type KafkajsBroker, WireEncoderClass } from "./kafkajs-internals.ts";
import { PayloadReader } from "./payload-reader.ts";

const METADATA_KEY = 3;
const VERSION_MIN = 11;
const VERSION_MAX = 12;

/** NO_TOPIC_ID when the brokers have none. */
export async function readTopicId(broker: KafkajsBroker, topic: string): Promise<string> {
  const offered = broker.versions[METADATA_KEY]?.maxVersion ?? 0;
  if (offered < VERSION_MIN) return NO_TOPIC_ID;
  const apiVersion = Math.min(offered, VERSION_MAX);
  return (await broker.connectionPool.send({
    request: {
      apiKey: METADATA_KEY,
      apiVersion,
      apiName: "Metadata",
      encode: async () => new WireEncoderClass().writeBuffer(request(topic)),
    },
    response: {
      decode: async (payload: Buffer) => topicIdOf(payload, topic),
      parse: async (data: string) => data,
    },
  })) as string;
}

/** Begins with the tagged fields of the header, which kafkajs leaves out. */
function request(topic: string): Buffer {
  const name = Buffer.from(topic);
  // A topic's name has at most 249 bytes, so its length takes at most two.
  const length = name.length + 1;
  const prefix = length < 128 ? [length] : [(length & 127) | 128, length >> 7];
  const oneTopic = [2, ...Buffer.alloc(16)];
  const noTags = 0;
  const noAutoCreation = 0;
  const noOperations = 0;
  return Buffer.concat([
    Buffer.from([noTags, ...oneTopic, ...prefix]),
    name,
    Buffer.from([noTags, noAutoCreation, noOperations, noTags]),
  ]);
}

function topicIdOf(payload: Buffer, topic: string): string {
  const reader = new PayloadReader(payload);
  reader.taggedFields();
  reader.int32();
  reader.compactArray(() => {
    reader.int32();
    reader.compactString();
    reader.int32();
    reader.compactString();
    reader.taggedFields();
  });
  reader.compactString();
  reader.int32();
  const topics = reader.uvarint() - 1;
  reader.int16();
  if (topics !== 1 || reader.compactString() !== topic)
    throw new PenstockError(
      "kafkaCorrupt",
      `A Kafka broker was asked for "${topic}" and told of another topic.`,
    );
  return reader.uuid();
}
