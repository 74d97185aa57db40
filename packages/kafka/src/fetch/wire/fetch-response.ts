/**
 * The answer to a Fetch request (https://kafka.apache.org/protocol#The_Messages_Fetch): versions 13 to 17, which name topics by id, here; those before
 * in named-fetch-response.ts.
 *
 * Errors stay where they belong, at their partition. Record batches are not read here: only their place is given.
 */
import type { AbortedTransaction } from "../../decode/aborted-transactions.ts";
import { isById } from "./fetch-request.ts";
import { parseNamedFetchResponse } from "./named-fetch-response.ts";
import { WireReader } from "./wire-reader.ts";

export interface FetchResponse {
  readonly buffer: Buffer;
  /** Partitions are those of the topic that was asked for by name; their `topicId` is "". */
  readonly isNamed: boolean;
  /** The answer was held back or cut because of a quota. */
  readonly throttleMs: number;
  /** How long the broker won't read from the connection because of it. */
  readonly muteMs: number;
  readonly errorCode: number;
  /** 0: the broker keeps no session. */
  readonly sessionId: number;
  readonly partitions: readonly FetchedPartition[];
}

export interface FetchedPartition {
  readonly topicId: string;
  readonly partition: number;
  readonly errorCode: number;
  /** -1 with an error, like the next two. */
  readonly highWatermark: bigint;
  readonly lastStableOffset: bigint;
  readonly logStart: bigint;
  readonly aborted: readonly AbortedTransaction[];
  /** Node to fetch from instead; -1: none. */
  readonly preferredReplica: number;
  /** Place of the record batches in `buffer`. */
  readonly recordsStart: number;
  readonly recordsEnd: number;
}

/** Fixed fields of a partition, and one byte for each of aborted transactions, records and tags. */
const PARTITION_BYTES_MIN = 4 + 2 + 8 + 8 + 8 + 1 + 4 + 1 + 1;
const TOPIC_BYTES_MIN = 16 + 1 + 1;
const ABORTED_BYTES_MIN = 8 + 8 + 1;

/** Reads the body after the response header. Throws WireFault. */
export function parseFetchResponse(buffer: Buffer, version: number, topic: string): FetchResponse {
  if (!isById(version)) return parseNamedFetchResponse(buffer, version, topic);
  const reader = new WireReader(buffer);
  const throttleMs = reader.int32();
  const errorCode = reader.int16();
  const sessionId = reader.int32();
  const partitions: FetchedPartition[] = [];
  for (let topics = reader.arrayLength(TOPIC_BYTES_MIN); topics > 0; topics--) {
    const topicId = reader.uuid();
    for (let left = reader.arrayLength(PARTITION_BYTES_MIN); left > 0; left--)
      partitions.push(readPartition(reader, topicId));
    reader.skipTags();
  }
  reader.skipTags();
  const muteMs = throttleMs;
  return { buffer, isNamed: false, throttleMs, muteMs, errorCode, sessionId, partitions };
}

function readPartition(reader: WireReader, topicId: string): FetchedPartition {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64();
  const lastStableOffset = reader.int64();
  const logStart = reader.int64();
  const aborted: AbortedTransaction[] = [];
  for (let left = reader.arrayLength(ABORTED_BYTES_MIN); left > 0; left--) {
    aborted.push({ producerId: reader.int64(), firstOffset: reader.int64() });
    reader.skipTags();
  }
  const preferredReplica = reader.int32();
  const bytes = Math.max(0, reader.unsignedVarint() - 1);
  const recordsStart = reader.skip(bytes);
  const recordsEnd = reader.at;
  reader.skipTags();
  return {
    topicId,
    partition,
    errorCode,
    highWatermark,
    lastStableOffset,
    logStart,
    aborted,
    preferredReplica,
    recordsStart,
    recordsEnd,
  };
}
