/**
 * Writes Fetch requests, versions 4 to 12: those that name the topic. Version 12 is the first with compact lengths and tags.
 *
 *   from 5 log start (for followers) · from 7 sessions (KIP-227) · from 9 leader epochs (KIP-320) · from 11 the rack (KIP-392)
 *
 * Before version 7 each request is a full one, which is what `FetchSession` makes of answers without a session.
 *
 * What is noticed of a topic that was deleted and made again (F14) is less than with ids: that it is missing in between, that the position lies
 * beyond its end, that its leader epoch is lower than the one that is sent. When none of this happens, because it came back between two requests
 * with as many records and leader changes as before, its records are read on from the old position.
 */
import {
  CONSUMER,
  type FetchRequest,
  type PartitionName,
  READ_COMMITTED,
  type RequestedPartition,
} from "./fetch-request.ts";

export const SESSIONS_SINCE = 7;
const LEADER_EPOCHS_SINCE = 9;
export const RACK_SINCE = 11;
export const LOG_START_SINCE = 5;
export const FLEXIBLE_SINCE = 12;

const PARTITION_BYTES_MAX = 4 + 4 + 8 + 4 + 8 + 4 + 1;
const FIXED_BYTES_MAX = 64;

export function encodeNamedFetchRequest(request: FetchRequest, version: number): Buffer {
  const { partitions } = request;
  const forgotten = withoutNamesakes(request);
  const topic = Buffer.from(request.topic);
  const rack = Buffer.from(request.rack);
  const isFlexible = version >= FLEXIBLE_SINCE;
  const bytes = Buffer.allocUnsafe(
    FIXED_BYTES_MAX +
      2 * topic.length +
      rack.length +
      (partitions.length + forgotten.length) * PARTITION_BYTES_MAX,
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
  const count = (length: number) => (isFlexible ? varint(length + 1) : int32(length));
  const tags = () => {
    if (isFlexible) varint(0);
  };
  const text = (value: Buffer) => {
    if (isFlexible) varint(value.length + 1);
    else at = bytes.writeInt16BE(value.length, at);
    at += value.copy(bytes, at);
  };
  const rows = <T extends PartitionName>(all: readonly T[], write: (row: T) => void) => {
    count(all.length === 0 ? 0 : 1);
    if (all.length === 0) return;
    text(topic);
    count(all.length);
    for (const row of all) write(row);
    tags();
  };
  const partition = (row: RequestedPartition) => {
    int32(row.partition);
    if (version >= LEADER_EPOCHS_SINCE) int32(row.leaderEpoch);
    at = bytes.writeBigInt64BE(row.position, at);
    // Last fetched epoch and log start are for followers.
    if (isFlexible) int32(-1);
    if (version >= LOG_START_SINCE) at = bytes.writeBigInt64BE(-1n, at);
    int32(row.bytesMax);
    tags();
  };

  int32(CONSUMER);
  int32(request.maxWaitMs);
  // One byte is enough to answer.
  int32(1);
  int32(request.bytesMax);
  bytes[at++] = READ_COMMITTED;
  if (version >= SESSIONS_SINCE) {
    int32(request.sessionId);
    int32(request.sessionEpoch);
  }
  rows(partitions, partition);
  if (version >= SESSIONS_SINCE) rows(forgotten, (row) => int32(row.partition));
  if (version >= RACK_SINCE) text(rack);
  tags();
  return bytes.subarray(0, at);
}

/** A partition of a topic that was made anew is forgotten and asked for at once: to a broker that knows names only it is the same one. */
function withoutNamesakes({ partitions, forgotten }: FetchRequest): readonly PartitionName[] {
  if (forgotten.length === 0 || partitions.length === 0) return forgotten;
  const asked = new Set(partitions.map(({ partition }) => partition));
  return forgotten.filter(({ partition }) => !asked.has(partition));
}
