/** Where partitions start, asked of the brokers: the group's committed offsets of the coordinator, the ends of the logs of their leaders. */
import { type Assignment, type PartitionStart, PenstockError } from "@penstock/core";
import { type Cluster, mayBeSameTopic } from "../cluster/cluster.ts";
import { KAFKA, kafkaRefusal } from "../cluster/kafka-error.ts";
import { readLogEnds } from "../cluster/log-ends.ts";
import { type FetchedOffset, sendOffsetFetch } from "../group/offset-wire.ts";
import type { ReadStarts, StartHost } from "./start-reader.ts";

export function startsOf(cluster: Cluster, groupId: string, topic: string): ReadStarts {
  return async (assignments, host) => {
    const { isWanted, found } = host;
    const failed = new Map<Assignment, PenstockError>();
    try {
      const { topicId } = await cluster.metadata(topic);
      const byPartition = new Map<number, Assignment>();
      for (const assignment of assignments) {
        if (mayBeSameTopic(assignment.topicId, topicId))
          byPartition.set(assignment.partition, assignment);
        else {
          // Deleted and made again: one of the two is old news, and the next answers tell which.
          cluster.invalidate(topic);
          failed.set(assignment, kafkaRefusal(KAFKA.unknownTopicId, `topic "${topic}"`));
        }
      }
      if (byPartition.size === 0) return failed;
      const partitions = [...byPartition.keys()];
      const committed = await readCommitted(topicId, partitions, host);
      await readLogEnds(cluster, topic, partitions, (partition, ends) => {
        const assignment = byPartition.get(partition);
        const offset = committed.get(partition);
        if (!assignment) return;
        byPartition.delete(partition);
        const code = offset?.errorCode ?? KAFKA.unknownServerError;
        if (ends instanceof PenstockError) failed.set(assignment, ends);
        else if (!offset || code !== KAFKA.none)
          failed.set(assignment, kafkaRefusal(code, `committed offset of ${topic}/${partition}`));
        else if (isWanted(assignment)) found(assignment, { committed: startOf(offset), ...ends });
      });
    } catch (error) {
      if (!(error instanceof PenstockError)) throw error;
      for (const assignment of assignments) if (isWanted(assignment)) failed.set(assignment, error);
    }
    return failed;
  };

  async function readCommitted(
    topicId: string,
    partitions: readonly number[],
    { membership, commitsIdle }: StartHost,
  ): Promise<Map<number, FetchedOffset>> {
    await commitsIdle();
    const { incarnation, memberId } = membership;
    try {
      const nodeId = await cluster.coordinator(groupId);
      const connection = await cluster.brokerConnection(nodeId, "control");
      const to = { groupId, memberId, epoch: membership.memberEpoch, topic, topicId };
      const { errorCode, offsets } = await sendOffsetFetch(cluster, connection, to, partitions);
      if (errorCode === KAFKA.none) return offsets;
      if (errorCode === KAFKA.unknownMemberId) membership.memberUnknown(incarnation);
      throw kafkaRefusal(errorCode, `consumer group "${groupId}"`);
    } catch (error) {
      cluster.invalidateCoordinator(groupId);
      throw error;
    }
  }
}

export function startOf({ offset, metadata }: FetchedOffset): PartitionStart["committed"] {
  return offset < 0n ? null : { offset, metadata };
}
