/**
 * OffsetCommit and OffsetFetch by topic name. Both have a version 10 that names topics by id, which is not in the library: group/offset-wire.ts.
 */
import {
  createAPI,
  offsetCommitV2,
  offsetCommitV3,
  offsetCommitV4,
  offsetCommitV5,
  offsetCommitV6,
  offsetCommitV7,
  offsetCommitV8,
  offsetCommitV9,
  offsetFetchV1,
  offsetFetchV2,
  offsetFetchV3,
  offsetFetchV4,
  offsetFetchV5,
  offsetFetchV6,
  offsetFetchV7,
  offsetFetchV8,
  offsetFetchV9,
  Writer,
} from "@platformatic/kafka";
import type { VersionTable } from "./ask.ts";

type CommitArguments = [
  groupId: string,
  epoch: number,
  memberId: string,
  groupInstanceId: string | null,
  topics: offsetCommitV9.OffsetCommitRequestTopic[],
];

/**
 * How long a broker before 2.1 keeps an offset after it was committed. Its own default is a day (7 days in 2.0), and it forgets offsets of groups with
 * members too: those of partitions that got no record for a day (I-1: the next owner would begin by the start position). Later brokers keep them while
 * the group has members, and `offsets.retention.minutes` (7 days) longer; requests to them don't carry this.
 */
export const OFFSET_RETENTION_MS = 365 * 24 * 3_600_000;

/** As the library's, which leaves the retention to the broker. */
function createLastingCommit(...args: CommitArguments): Writer {
  const [groupId, epoch, memberId, , topics] = args;
  return Writer.create()
    .appendString(groupId, false)
    .appendInt32(epoch)
    .appendString(memberId, false)
    .appendInt64(BigInt(OFFSET_RETENTION_MS))
    .appendArray(
      topics,
      (writer, { name, partitions }) => {
        writer.appendString(name, false).appendArray(
          partitions,
          (row, { partitionIndex, committedOffset, committedMetadata }) => {
            row
              .appendInt32(partitionIndex)
              .appendInt64(committedOffset)
              .appendString(committedMetadata, false);
          },
          false,
          false,
        );
      },
      false,
      false,
    );
}

function lastingCommit({ api, parseResponse }: typeof offsetCommitV4): typeof offsetCommitV9.api {
  return createAPI(api.key, api.version, createLastingCommit, parseResponse, false, false);
}

/** The group instance id comes with version 7 (Kafka 2.3), leader epochs with 6; the retention goes with 5 (2.1). */
export const OFFSET_COMMIT: VersionTable<CommitArguments, offsetCommitV9.OffsetCommitResponse> = {
  name: "OffsetCommit",
  since: "0.10.1",
  versions: [
    offsetCommitV9.api,
    offsetCommitV8.api,
    offsetCommitV7.api,
    offsetCommitV6.api,
    offsetCommitV5.api,
    lastingCommit(offsetCommitV4),
    lastingCommit(offsetCommitV3),
    lastingCommit(offsetCommitV2),
  ],
};

type FetchArguments = [
  groups: (offsetFetchV9.OffsetFetchRequestGroup & {
    topics: offsetFetchV9.OffsetFetchRequestTopic[];
  })[],
  requiresStable: boolean,
];

/** Before version 8 `groups` is empty, and the rest is about the one group that was asked for. */
export interface OffsetFetchAnswer {
  readonly throttleTimeMs: number;
  readonly groups: readonly OffsetsOfGroup[];
  readonly errorCode?: number;
  readonly topics?: OffsetsOfGroup["topics"];
}

export interface OffsetsOfGroup {
  readonly errorCode: number;
  readonly topics: readonly {
    readonly partitions: readonly {
      readonly partitionIndex: number;
      readonly committedOffset: bigint;
      readonly metadata?: string | null | undefined;
      readonly errorCode: number;
    }[];
  }[];
}

/**
 * The member comes with version 9; several groups with 8 (Kafka 3.0); waiting for the end of pending transactional commits with 7 (2.5): before
 * that, an offset that somebody commits in a transaction shows once the transaction has ended.
 */
export const OFFSET_FETCH: VersionTable<FetchArguments, OffsetFetchAnswer> = {
  name: "OffsetFetch",
  since: "0.10.1",
  versions: [
    offsetFetchV9.api,
    offsetFetchV8.api,
    offsetFetchV7.api,
    offsetFetchV6.api,
    offsetFetchV5.api,
    offsetFetchV4.api,
    offsetFetchV3.api,
    offsetFetchV2.api,
    offsetFetchV1.api,
  ],
};
