/** The broker's side of the Fetch API, versions 4 to 12, for tests: writes answers. */
import type { Answer, AnswerPartition } from "./fetch-wire.ts";
import { int, long, varint } from "./fetch-wire.ts";

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
