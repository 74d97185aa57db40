/** OffsetCommit and OffsetFetch over kafkajs, with an error code for each partition. */
import { OFFSET_RETENTION_MS } from "../../cluster/versions/offset-apis.ts";
import type { CommitRow, FetchedOffset, GroupTopic } from "../../group/offset-wire.ts";
import type { KafkajsBrokers } from "../client/kafkajs-client.ts";
import type { CoordinatorRequests } from "../group/group-requests.ts";

interface Answer<Row> {
  readonly errorCode?: number;
  readonly responses: readonly { readonly topic: string; readonly partitions: readonly Row[] }[];
}

/** K-1: carries the generation and the member id that it is given, never those of the moment. */
export async function commitOffsets(
  client: KafkajsBrokers,
  requests: CoordinatorRequests,
  to: GroupTopic,
  rows: readonly CommitRow[],
): Promise<Map<number, number>> {
  const { groupId, memberId, epoch, topic } = to;
  const partitions = rows.map(({ partition, offset, metadata }) => ({
    partition,
    offset: String(offset),
    metadata,
  }));
  const broker = await requests.coordinator();
  const { responses } = await client.send<Answer<{ partition: number; errorCode: number }>>(
    broker,
    "OffsetCommit",
    {
      groupId,
      groupGenerationId: epoch,
      memberId: memberId ?? "",
      retentionTime: OFFSET_RETENTION_MS,
      topics: [{ topic, partitions }],
    },
  );
  const all = responses.flatMap((response) => response.partitions);
  return new Map(all.map(({ partition, errorCode }) => [partition, errorCode]));
}

export async function fetchOffsets(
  client: KafkajsBrokers,
  requests: CoordinatorRequests,
  groupId: string,
  partitions: readonly number[],
): Promise<{ readonly errorCode: number; readonly offsets: Map<number, FetchedOffset> }> {
  const broker = await requests.coordinator();
  const { errorCode = 0, responses } = await client.send<
    Answer<{ partition: number; offset: string; metadata: string | null; errorCode: number }>
  >(broker, "OffsetFetch", {
    groupId,
    topics: [{ topic: client.topic, partitions: partitions.map((partition) => ({ partition })) }],
  });
  const offsets = new Map<number, FetchedOffset>();
  for (const row of responses.flatMap((response) => response.partitions)) {
    const { offset, metadata } = row;
    const found = { offset: BigInt(offset), metadata: metadata ?? "", errorCode: row.errorCode };
    offsets.set(row.partition, found);
  }
  return { errorCode, offsets };
}
