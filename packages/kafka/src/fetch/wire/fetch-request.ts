/**
 * Writes Fetch requests (https://kafka.apache.org/protocol#The_Messages_Fetch), for readers of committed data: versions 13 to 17, which name topics by
 * id, here; those before in named-fetch-request.ts.
 */
import { NO_TOPIC_ID } from "../../cluster/cluster.ts";
import { encodeNamedFetchRequest } from "./named-fetch-request.ts";

export const FETCH_API_KEY = 1;
/** Kafka 0.11: before it, there are no record batches and no aborted transactions in an answer. */
export const FETCH_VERSION_MIN = 4;
export const FETCH_VERSION_MAX = 17;
const TOPIC_IDS_SINCE = 13;

/** Epoch of a fetch outside any session. */
export const SESSIONLESS_EPOCH = -1;

export interface FetchRequest {
  /** The one topic that a request is about. */
  readonly topic: string;
  readonly maxWaitMs: number;
  readonly bytesMax: number;
  readonly sessionId: number;
  readonly sessionEpoch: number;
  /** New to the session, or changed; all, when there is no session. */
  readonly partitions: readonly RequestedPartition[];
  readonly forgotten: readonly PartitionName[];
  /** "" = none. */
  readonly rack: string;
}

export interface PartitionName {
  readonly topicId: string;
  readonly topicIdBytes: Buffer;
  readonly partition: number;
}

export interface RequestedPartition extends PartitionName {
  /** -1 = unknown, not checked. */
  readonly leaderEpoch: number;
  readonly position: bigint;
  readonly bytesMax: number;
}

export const READ_COMMITTED = 1;
export const CONSUMER = -1;
const PARTITION_BYTES = 4 + 4 + 8 + 4 + 8 + 4 + 1;
const TOPIC_BYTES_MAX = 16 + 5 + 1;
const FIXED_BYTES_MAX = 4 * 6 + 1 + 5 * 3 + 1;

/** A request, in the version that its answer will have. */
export interface FetchCall {
  readonly version: number;
  readonly payload: Buffer;
}

/** Whether topics of a version are named by id. */
export function isById(version: number): boolean {
  return version >= TOPIC_IDS_SINCE;
}

/** The version to use when a broker's newest is `version`: an id that isn't known can't be sent. */
export function versionFor(
  version: number,
  wanted: readonly { readonly topicId: string }[],
): number {
  const isKnown = wanted.every(({ topicId }) => topicId !== NO_TOPIC_ID);
  return isKnown ? version : Math.min(version, TOPIC_IDS_SINCE - 1);
}

export function encodeFetchRequest(request: FetchRequest, version: number): Buffer {
  if (!isById(version)) return encodeNamedFetchRequest(request, version);
  const { partitions, forgotten } = request;
  const rack = Buffer.from(request.rack);
  const bytes = Buffer.allocUnsafe(
    FIXED_BYTES_MAX +
      rack.length +
      partitions.length * (PARTITION_BYTES + TOPIC_BYTES_MAX) +
      forgotten.length * (4 + TOPIC_BYTES_MAX),
  );
  let at = 0;
  const int32 = (value: number) => {
    at = bytes.writeInt32BE(value, at);
  };
  const varint = (value: number) => {
    let rest = value;
    for (; rest > 127; rest >>>= 7) bytes[at++] = (rest & 127) | 128;
    bytes[at++] = rest;
  };
  const topics = <T extends PartitionName>(rows: readonly T[], write: (row: T) => void) => {
    const groups = byTopic(rows);
    varint(groups.length + 1);
    for (const group of groups) {
      at += (group[0] as T).topicIdBytes.copy(bytes, at);
      varint(group.length + 1);
      for (const row of group) write(row);
      varint(0);
    }
  };

  if (version < 15) int32(CONSUMER);
  int32(request.maxWaitMs);
  // One byte is enough to answer.
  int32(1);
  int32(request.bytesMax);
  bytes[at++] = READ_COMMITTED;
  int32(request.sessionId);
  int32(request.sessionEpoch);
  topics(partitions, (row) => {
    int32(row.partition);
    int32(row.leaderEpoch);
    at = bytes.writeBigInt64BE(row.position, at);
    // Last fetched epoch and log start are for followers.
    int32(-1);
    at = bytes.writeBigInt64BE(-1n, at);
    int32(row.bytesMax);
    varint(0);
  });
  topics(forgotten, (row) => int32(row.partition));
  varint(rack.length + 1);
  at += rack.copy(bytes, at);
  varint(0);
  return bytes.subarray(0, at);
}

function byTopic<T extends PartitionName>(rows: readonly T[]): T[][] {
  const groups = new Map<string, T[]>();
  for (const row of rows) {
    const group = groups.get(row.topicId);
    if (group === undefined) groups.set(row.topicId, [row]);
    else group.push(row);
  }
  return [...groups.values()];
}
