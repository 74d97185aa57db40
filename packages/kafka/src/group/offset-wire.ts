/**
 * OffsetCommit (8) and OffsetFetch (9) on the wire.
 *
 * Version 10 of both names topics by id, so an offset of a deleted topic can't land on its namesake (F14); brokers that have
 * only version 9 are spoken to by name. Version 10 isn't in the library, hence the few lines of it here.
 */
import {
  type Connection,
  createAPI,
  offsetCommitV9,
  offsetFetchV9,
  type Reader,
  Writer,
} from "@platformatic/kafka";
import type { Cluster } from "../cluster/cluster.ts";
import { request } from "../cluster/request.ts";

export interface GroupTopic {
  readonly groupId: string;
  /** null (with epoch -1): somebody who is no member. */
  readonly memberId: string | null;
  /** Of the assignment for a commit, of the member for a fetch. */
  readonly epoch: number;
  readonly topic: string;
  readonly topicId: string;
}

export interface CommitRow {
  readonly partition: number;
  readonly offset: bigint;
  readonly metadata: string;
}

export interface FetchedOffset {
  readonly errorCode: number;
  /** -1: none. */
  readonly offset: bigint;
  readonly metadata: string;
}

interface CommitResponse {
  readonly topics: readonly {
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[];
  }[];
}

interface FetchResponse {
  readonly groups: readonly {
    readonly errorCode: number;
    readonly topics: readonly {
      readonly partitions: readonly {
        readonly partitionIndex: number;
        readonly committedOffset: bigint;
        readonly metadata?: string | null | undefined;
        readonly errorCode: number;
      }[];
    }[];
  }[];
}

const COMMIT_KEY = 8;
const FETCH_KEY = 9;
const BY_ID_VERSION = 10;

/** Error code for each partition. */
export async function sendOffsetCommit(
  cluster: Cluster,
  connection: Connection,
  to: GroupTopic,
  rows: readonly CommitRow[],
): Promise<Map<number, number>> {
  const isById = cluster.apiVersion(connection, COMMIT_KEY, BY_ID_VERSION) === BY_ID_VERSION;
  const partitions = rows.map(({ partition, offset, metadata }) => ({
    partitionIndex: partition,
    committedOffset: offset,
    committedLeaderEpoch: -1,
    committedMetadata: metadata,
  }));
  const { groupId, epoch, memberId, topic } = to;
  const response: CommitResponse = isById
    ? await request(connection, commitById, to, rows)
    : await request(connection, offsetCommitV9.api, groupId, epoch, memberId ?? "", null, [
        { name: topic, partitions },
      ]);
  const codes = new Map<number, number>();
  for (const { partitions } of response.topics)
    for (const { partitionIndex, errorCode } of partitions) codes.set(partitionIndex, errorCode);
  return codes;
}

/** Committed offsets, with the error code of the group as a whole. Waits for the end of pending transactional commits. */
export async function sendOffsetFetch(
  cluster: Cluster,
  connection: Connection,
  to: GroupTopic,
  partitions: readonly number[],
): Promise<{ errorCode: number; offsets: Map<number, FetchedOffset> }> {
  const isById = cluster.apiVersion(connection, FETCH_KEY, BY_ID_VERSION) === BY_ID_VERSION;
  const { groupId, memberId, epoch, topic } = to;
  const topics = [{ name: topic, partitionIndexes: [...partitions] }];
  const response: FetchResponse = isById
    ? await request(connection, fetchById, to, partitions)
    : await request(
        connection,
        offsetFetchV9.api,
        [{ groupId, memberId, memberEpoch: epoch, topics }],
        true,
      );
  const group = response.groups[0];
  const offsets = new Map<number, FetchedOffset>();
  for (const { partitions } of group?.topics ?? [])
    for (const { partitionIndex, errorCode, committedOffset, metadata } of partitions)
      offsets.set(partitionIndex, {
        errorCode,
        offset: committedOffset,
        metadata: metadata ?? "",
      });
  return { errorCode: group?.errorCode ?? 0, offsets };
}

const commitById = createAPI<[GroupTopic, readonly CommitRow[]], CommitResponse>(
  COMMIT_KEY,
  BY_ID_VERSION,
  (to: GroupTopic, rows: readonly CommitRow[]) =>
    Writer.create()
      .appendString(to.groupId)
      .appendInt32(to.epoch)
      .appendString(to.memberId ?? "")
      .appendString(null)
      .appendArray([to], (writer) =>
        writer
          .appendUUID(to.topicId)
          .appendArray([...rows], (w, row) =>
            w
              .appendInt32(row.partition)
              .appendInt64(row.offset)
              .appendInt32(-1)
              .appendString(row.metadata),
          ),
      )
      .appendTaggedFields(),
  (_id, _key, _version, reader) => {
    reader.readInt32();
    const topics = reader.readArray((r) => {
      r.readUUID();
      return {
        partitions: r.readArray((p) => ({
          partitionIndex: p.readInt32(),
          errorCode: p.readInt16(),
        })),
      };
    });
    reader.readTaggedFields();
    return { topics };
  },
);

const fetchById = createAPI<[GroupTopic, readonly number[]], FetchResponse>(
  FETCH_KEY,
  BY_ID_VERSION,
  (to: GroupTopic, partitions: readonly number[]) =>
    Writer.create()
      .appendArray([to], (writer) =>
        writer
          .appendString(to.groupId)
          .appendString(to.memberId)
          .appendInt32(to.epoch)
          .appendArray([to], (w) =>
            w
              .appendUUID(to.topicId)
              .appendArray(
                [...partitions],
                (p, partition) => p.appendInt32(partition),
                true,
                false,
              ),
          ),
      )
      .appendBoolean(true)
      .appendTaggedFields(),
  (_id, _key, _version, reader) => {
    reader.readInt32();
    const groups = reader.readArray((r) => {
      r.readString();
      const topics = r.readArray((t) => {
        t.readUUID();
        return { partitions: t.readArray(readFetched) };
      });
      return { topics, errorCode: r.readInt16() };
    });
    reader.readTaggedFields();
    return { groups };
  },
);

function readFetched(reader: Reader) {
  const partitionIndex = reader.readInt32();
  const committedOffset = reader.readInt64();
  reader.readInt32();
  const metadata = reader.readNullableString();
  return { partitionIndex, committedOffset, metadata, errorCode: reader.readInt16() };
}
