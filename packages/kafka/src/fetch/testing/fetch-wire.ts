/** The broker's side of the Fetch API, version 17, for tests: reads requests, writes answers. */
import { WireReader } from "../wire/wire-reader.ts";

export interface ReadRequest {
  readonly maxWaitMs: number;
  readonly bytesMax: number;
  readonly sessionId: number;
  readonly sessionEpoch: number;
  readonly partitions: readonly ReadPartition[];
  readonly forgotten: readonly { readonly topicId: string; readonly partition: number }[];
  readonly rack: string;
}

export interface ReadPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly leaderEpoch: number;
  readonly position: bigint;
  readonly bytesMax: number;
}

export interface AnswerPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode?: number;
  readonly highWatermark?: bigint;
  readonly lastStableOffset?: bigint;
  readonly logStart?: bigint;
  readonly aborted?: readonly { readonly producerId: bigint; readonly firstOffset: bigint }[];
  readonly preferredReplica?: number;
  readonly records?: Buffer;
}

export interface Answer {
  readonly throttleMs?: number;
  readonly errorCode?: number;
  readonly sessionId?: number;
  readonly partitions?: readonly AnswerPartition[];
}

export function readRequest(body: Buffer): ReadRequest {
  const reader = new WireReader(body);
  const maxWaitMs = reader.int32();
  reader.int32();
  const bytesMax = reader.int32();
  reader.skip(1);
  const sessionId = reader.int32();
  const sessionEpoch = reader.int32();
  const partitions: ReadPartition[] = [];
  const topics = <T>(read: (topicId: string) => T, into: T[]) => {
    for (let left = reader.arrayLength(18); left > 0; left--) {
      const topicId = reader.uuid();
      for (let rows = reader.arrayLength(4); rows > 0; rows--) into.push(read(topicId));
      reader.skipTags();
    }
  };
  topics((topicId) => {
    const partition = reader.int32();
    const leaderEpoch = reader.int32();
    const position = reader.int64();
    reader.skip(4 + 8);
    const partitionBytesMax = reader.int32();
    reader.skipTags();
    return { topicId, partition, leaderEpoch, position, bytesMax: partitionBytesMax };
  }, partitions);
  const forgotten: { topicId: string; partition: number }[] = [];
  topics((topicId) => ({ topicId, partition: reader.int32() }), forgotten);
  const rackBytes = reader.unsignedVarint() - 1;
  const rackAt = reader.skip(rackBytes);
  const rack = body.toString("utf8", rackAt, reader.at);
  reader.skipTags();
  if (reader.at !== body.length) throw new Error("bytes left over in a request");
  return { maxWaitMs, bytesMax, sessionId, sessionEpoch, partitions, forgotten, rack };
}

export function writeAnswer(answer: Answer): Buffer {
  const { throttleMs = 0, errorCode = 0, sessionId = 0, partitions = [] } = answer;
  return Buffer.concat([
    int(throttleMs, 4),
    int(errorCode, 2),
    int(sessionId, 4),
    varint(partitions.length + 1),
    // One topic entry for each partition: allowed, and simple.
    ...partitions.flatMap((row) => [
      Buffer.from(row.topicId.replaceAll("-", ""), "hex"),
      varint(2),
      writePartition(row),
      varint(0),
    ]),
    varint(0),
  ]);
}

function writePartition(row: AnswerPartition): Buffer {
  const { records = Buffer.alloc(0), aborted = [] } = row;
  const end = row.highWatermark ?? -1n;
  return Buffer.concat([
    int(row.partition, 4),
    int(row.errorCode ?? 0, 2),
    long(end),
    long(row.lastStableOffset ?? end),
    long(row.logStart ?? -1n),
    varint(aborted.length + 1),
    ...aborted.flatMap((one) => [long(one.producerId), long(one.firstOffset), varint(0)]),
    int(row.preferredReplica ?? -1, 4),
    varint(records.length + 1),
    records,
    // A tagged field that nobody knows.
    varint(1),
    varint(9),
    varint(2),
    Buffer.from("zz"),
  ]);
}

export function int(value: number, bytes: 2 | 4): Buffer {
  const buffer = Buffer.alloc(bytes);
  buffer.writeIntBE(value, 0, bytes);
  return buffer;
}

export function long(value: bigint): Buffer {
  const buffer = Buffer.alloc(8);
  buffer.writeBigInt64BE(value);
  return buffer;
}

export function varint(value: number): Buffer {
  const out: number[] = [];
  let rest = value;
  for (; rest > 127; rest >>>= 7) out.push((rest & 127) | 128);
  return Buffer.from([...out, rest]);
}
