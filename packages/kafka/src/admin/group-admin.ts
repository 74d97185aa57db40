/** Consumer groups from outside: what they hold and who is in them, and the removal of a member that is known to be gone. */

import { PenstockError } from "@penstock/core";
import type { Connection } from "@platformatic/kafka";
import type { KafkaCluster } from "../cluster/kafka-cluster.ts";
import { KAFKA, kafkaRefusal } from "../cluster/kafka-error.ts";
import { ask } from "../cluster/versions/ask.ts";
import { DELETE_GROUPS } from "../cluster/versions/group-apis.ts";
import { sendLeave } from "../group/classic/classic-wire.ts";
import { LEAVE_EPOCH } from "../group/consumer/heartbeat.ts";
import { sendHeartbeat } from "../group/consumer/heartbeat-wire.ts";
import { sendOffsetFetch } from "../group/offset-wire.ts";
import { askForGroup, type GroupDescription } from "./group-description.ts";

export interface CommittedOffset {
  readonly offset: bigint;
  readonly metadata: string;
}

const TRIES_MAX = 5;
const CONSUMER_HEARTBEAT = 68;

export async function describeGroup(
  cluster: KafkaCluster,
  groupId: string,
): Promise<GroupDescription> {
  return withCoordinator(cluster, groupId, (connection) =>
    askForGroup(cluster, connection, groupId),
  );
}

/** Committed offsets by partition; a partition without one is absent. */
export async function committedOffsets(
  cluster: KafkaCluster,
  groupId: string,
  topic: string,
): Promise<Map<number, CommittedOffset>> {
  const { topicId, partitions } = await cluster.metadata(topic);
  const to = { groupId, memberId: null, epoch: -1, topic, topicId };
  const ids = partitions.map(({ partition }) => partition);
  return withCoordinator(cluster, groupId, async (connection) => {
    const { errorCode, offsets } = await sendOffsetFetch(cluster, connection, to, ids);
    if (errorCode !== KAFKA.none) return errorCode;
    const committed = new Map<number, CommittedOffset>();
    for (const [partition, row] of offsets) {
      if (row.errorCode !== KAFKA.none) return row.errorCode;
      if (row.offset >= 0n)
        committed.set(partition, { offset: row.offset, metadata: row.metadata });
    }
    return committed;
  });
}

/**
 * Sends the leave of another member, so that its partitions move at once and not when its session has run out. Should it be alive
 * after all it is told that it is unknown, discards its work and joins again; its commits are refused meanwhile.
 * False: the group has no such member.
 */
export async function removeMember(
  cluster: KafkaCluster,
  groupId: string,
  memberId: string,
): Promise<boolean> {
  return withCoordinator(cluster, groupId, async (connection) => {
    const removed = await removeConsumerMember(cluster, connection, groupId, memberId);
    // A classic group, or one that isn't of the other kind: its members leave in their own way.
    return removed === false
      ? removeClassicMember(cluster, connection, groupId, memberId)
      : removed;
  });
}

async function removeConsumerMember(
  cluster: KafkaCluster,
  connection: Connection,
  groupId: string,
  memberId: string,
): Promise<boolean | number> {
  if (cluster.apiVersion(connection, CONSUMER_HEARTBEAT, 1) < 0) return false;
  const result = await sendHeartbeat(cluster, connection, groupId, {
    memberId,
    memberEpoch: LEAVE_EPOCH,
    groupInstanceId: null,
    rebalanceTimeoutMs: -1,
    subscribedTopics: null,
    owned: null,
  });
  if ("answer" in result) return true;
  if (result.failure === "memberUnknown" || result.isOtherProtocol) return false;
  if (result.isElsewhere) return KAFKA.notCoordinator;
  throw result.problem;
}

async function removeClassicMember(
  cluster: KafkaCluster,
  connection: Connection,
  groupId: string,
  memberId: string,
): Promise<boolean | number> {
  const refusal = await sendLeave(cluster, connection, groupId, {
    memberId,
    groupInstanceId: null,
  });
  if (refusal === null) return true;
  if (refusal.failure === "memberUnknown" || refusal.isOtherProtocol) return false;
  if (refusal.isElsewhere) return KAFKA.notCoordinator;
  throw refusal.problem;
}

/** Removes a group with its committed offsets. False: there is no such group. Rejects with `inUse` while it has members. */
export async function deleteGroup(cluster: KafkaCluster, groupId: string): Promise<boolean> {
  return withCoordinator(cluster, groupId, async (connection) => {
    const { results } = await ask(cluster, connection, DELETE_GROUPS, [groupId]);
    const code = results[0]?.errorCode ?? KAFKA.unknownServerError;
    if (code === KAFKA.none) return true;
    if (code === KAFKA.groupIdNotFound) return false;
    if (code === KAFKA.nonEmptyGroup)
      throw new PenstockError(
        "inUse",
        `The consumer group "${groupId}" still has members; stop them before it is removed.`,
      );
    if (code === KAFKA.groupAuthorizationFailed)
      throw kafkaRefusal(code, `consumer group "${groupId}"`, "Delete");
    return code;
  });
}

/** Asks the coordinator; a numeric result is an error code, tried again elsewhere when the group has moved. */
async function withCoordinator<T>(
  cluster: KafkaCluster,
  groupId: string,
  ask: (connection: Connection) => Promise<T | number>,
): Promise<T> {
  for (let tries = 1; ; tries++) {
    const nodeId = await cluster.coordinator(groupId);
    const result = await cluster
      .brokerConnection(nodeId, "control")
      .then(ask)
      .catch((error: unknown) => {
        // It may have ended, and the group be elsewhere by now.
        cluster.invalidateCoordinator(groupId);
        throw error;
      });
    if (typeof result !== "number") return result;
    cluster.invalidateCoordinator(groupId);
    const isMoving =
      result === KAFKA.notCoordinator ||
      result === KAFKA.coordinatorLoadInProgress ||
      result === KAFKA.coordinatorNotAvailable ||
      result === KAFKA.unstableOffsetCommit;
    if (!isMoving || tries === TRIES_MAX) throw kafkaRefusal(result, `consumer group "${groupId}"`);
  }
}
