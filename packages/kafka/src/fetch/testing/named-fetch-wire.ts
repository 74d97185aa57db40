/** The broker's side of the Fetch API, versions 4 to 12, for tests: reads requests, writes answers. */
import { WireReader } from "../wire/wire-reader.ts";
import type { Answer, AnswerPartition, ReadPartition, ReadRequest } from "./fetch-wire.ts";
import { int, long, varint } from "./fetch-wire.ts";

/** The only topic of a fake broker. */
export const NAMED_TOPIC = "orders";

/** `topicId`: of the topic that has the name now. */
export function readNamedRequest(body: Buffer, version: number, topicId: string): ReadRequest {
  const reader = new WireReader(body);
  const isFlexible = version >= 12;
  const count = () => (isFlexible ? reader.arrayLength(1) : reader.int32());
  const tags = () => {
    if (isFlexible) reader.skipTags();
  };
  const text = () => {
    const start = reader.skip(isFlexible ? reader.unsignedVarint() - 1 : reader.int16());
    return body.toString("utf8", start, reader.at);
  };
  const rows = <T>(read: () => T): T[] => {
    const all: T[] = [];
    for (let topics = count(); topics > 0; topics--) {
      if (text() !== NAMED_TOPIC) throw new Error("another topic is asked for");
      for (let left = count(); left > 0; left--) all.push(read());
      tags();
    }
    return all;
  };
  reader.skip(4);
  const maxWaitMs = reader.int32();
  reader.skip(4);
  const bytesMax = reader.int32();
  reader.skip(1);
  const hasSessions = version >= 7;
  const sessionId = hasSessions ? reader.int32() : 0;
  const sessionEpoch = hasSessions ? reader.int32() : -1;
  const partitions = rows((): ReadPartition => {
    const partition = reader.int32();
    const leaderEpoch = version >= 9 ? reader.int32() : -1;
    const position = reader.int64();
    reader.skip((isFlexible ? 4 : 0) + (version >= 5 ? 8 : 0));
    const partitionBytesMax = reader.int32();
    tags();
    return { topicId, partition, leaderEpoch, position, bytesMax: partitionBytesMax };
  });
  const forgotten = hasSessions ? rows(() => ({ topicId, partition: reader.int32() })) : [];
  const rack = version >= 11 ? text() : "";
  tags();
  if (reader.at !== body.length) throw new Error("bytes left over in a request");
  return { maxWaitMs, bytesMax, sessionId, sessionEpoch, partitions, forgotten, rack };
}

type NamedAnswer = Omit<Answer, "partitions"> & {
  readonly partitions?: readonly Omit<AnswerPartition, "topicId">[];
};

export function writeNamedAnswer(answer: NamedAnswer, version: number, topic: string): Buffer {
  const { throttleMs = 0, errorCode = 0, sessionId = 0, partitions = [] } = answer;
  const isFlexible = version >= 12;
  const count = (length: number) => (isFlexible ? varint(length + 1) : int(length, 4));
  const tags = isFlexible ? varint(0) : Buffer.alloc(0);
  const name = Buffer.from(topic);
  const row = (one: Omit<AnswerPartition, "topicId">) => {
    const { records = Buffer.alloc(0), aborted = [] } = one;
    const end = one.highWatermark ?? -1n;
    return Buffer.concat([
      int(one.partition, 4),
      int(one.errorCode ?? 0, 2),
      long(end),
      long(one.lastStableOffset ?? end),
      version >= 5 ? long(one.logStart ?? -1n) : Buffer.alloc(0),
      count(aborted.length),
      ...aborted.flatMap((of) => [long(of.producerId), long(of.firstOffset), tags]),
      version >= 11 ? int(one.preferredReplica ?? -1, 4) : Buffer.alloc(0),
      count(records.length),
      records,
      tags,
    ]);
  };
  return Buffer.concat([
    int(throttleMs, 4),
    version >= 7 ? Buffer.concat([int(errorCode, 2), int(sessionId, 4)]) : Buffer.alloc(0),
    count(partitions.length > 0 ? 1 : 0),
    ...(partitions.length > 0
      ? [
          isFlexible ? varint(name.length + 1) : int(name.length, 2),
          name,
          count(partitions.length),
          ...partitions.map(row),
          tags,
        ]
      : []),
    tags,
  ]);
}
