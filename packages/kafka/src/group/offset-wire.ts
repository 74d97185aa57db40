/**
 * OffsetCommit (8) and OffsetFetch (9) on the wire, for members of both group protocols and for who is no member.
 *
 * Version 10 of both names topics by id, so an offset of a deleted topic can't land on its namesake (F14); older brokers, and topics that have no
 * id, are spoken of by name. There the metadata of a commit tells whose offset it is, as far as the topic has an id at all; without ids an
 * offset of a deleted topic counts for its namesake, which is noticed when it lies beyond the end of the log (F13), and not otherwise.
 * Version 10 isn't in the library, hence the few lines of it here.
 */
import { type Connection, createAPI, type Reader, Writer } from "@platformatic/kafka";
import { type Cluster, NO_TOPIC_ID } from "../cluster/cluster.ts";
import { request } from "../cluster/request.ts";
import { ask } from "../cluster/versions/ask.ts";
import {
  OFFSET_COMMIT,
  OFFSET_FETCH,
  type OffsetFetchAnswer,
  type OffsetsOfGroup,
} from "../cluster/versions/offset-apis.ts";
import { throttleOf } from "../connection/throttle.ts";

export interface GroupTopic {
  readonly groupId: string;
  /** null (with epoch -1): somebody who is no member. */
  readonly memberId: string | null;
  /** Of the assignment for a commit, of the member for a fetch; in a classic group the generation. */
  readonly epoch: number;
  /** Of a static member. */
  readonly groupInstanceId?: string | null | undefined;
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
  readonly throttleTimeMs: number;
  readonly topics: readonly {
    readonly partitions: readonly { readonly partitionIndex: number; readonly errorCode: number }[];
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
  const partitions = rows.map(({ partition, offset, metadata }) => ({
    partitionIndex: partition,
    committedOffset: offset,
    committedLeaderEpoch: -1,
    committedMetadata: metadata,
  }));
  const { groupId, epoch, memberId, groupInstanceId = null, topic } = to;
  const topics = [{ name: topic, partitions }];
  const response = (await isById(cluster, connection, COMMIT_KEY, to))
    ? await request(connection, commitById, to, rows)
    : await ask(
        cluster,
        connection,
        OFFSET_COMMIT,
        groupId,
        epoch,
        memberId ?? "",
        groupInstanceId,
        topics,
      );
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
  const { groupId, memberId, epoch, topic } = to;
  const topics = [{ name: topic, partitionIndexes: [...partitions] }];
  const groups = [{ groupId, memberId, memberEpoch: epoch, topics }];
  const response: OffsetFetchAnswer = (await isById(cluster, connection, FETCH_KEY, to))
    ? await request(connection, fetchById, to, partitions)
    : await ask(cluster, connection, OFFSET_FETCH, groups, true);
  const group: Partial<OffsetsOfGroup> = response.groups[0] ?? response;
  const offsets = new Map<number, FetchedOffset>();
  for (const { partitions } of group.topics ?? [])
    for (const { partitionIndex, errorCode, committedOffset, metadata } of partitions)
      offsets.set(partitionIndex, {
        errorCode,
        offset: committedOffset,
        metadata: metadata ?? "",
      });
  return { errorCode: group.errorCode ?? 0, offsets };
}

/** Whether topics are named by id. Waits, like `ask`, while the broker throttles. */
async function isById(
  cluster: Cluster,
  connection: Connection,
  apiKey: number,
  { topicId }: GroupTopic,
): Promise<boolean> {
  if (topicId === NO_TOPIC_ID) return false;
  if (cluster.apiVersion(connection, apiKey, BY_ID_VERSION) !== BY_ID_VERSION) return false;
  await throttleOf(connection).over();
  return true;
}

const commitById = createAPI<[GroupTopic, readonly CommitRow[]], CommitResponse>(
  COMMIT_KEY,
  BY_ID_VERSION,
  (to: GroupTopic, rows: readonly CommitRow[]) =>
    Writer.create()
      .appendString(to.groupId)
      .appendInt32(to.epoch)
      .appendString(to.memberId ?? "")
      .appendString(to.groupInstanceId ?? null)
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
    const throttleTimeMs = reader.readInt32();
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
    return { throttleTimeMs, topics };
  },
);

const fetchById = createAPI<[GroupTopic, readonly number[]], OffsetFetchAnswer>(
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
    const throttleTimeMs = reader.readInt32();
    const groups = reader.readArray((r) => {
      r.readString();
      const topics = r.readArray((t) => {
        t.readUUID();
        return { partitions: t.readArray(readFetched) };
      });
      return { topics, errorCode: r.readInt16() };
    });
    reader.readTaggedFields();
    return { throttleTimeMs, groups };
  },
);

function readFetched(reader: Reader) {
  const partitionIndex = reader.readInt32();
  const committedOffset = reader.readInt64();
  reader.readInt32();
  const metadata = reader.readNullableString();
  return { partitionIndex, committedOffset, metadata, errorCode: reader.readInt16() };
}
