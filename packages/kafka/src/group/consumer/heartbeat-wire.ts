/** Heartbeats on the wire: ConsumerGroupHeartbeat (68), KIP-848. */
import { PenstockError } from "@penstock/core";
import {
  type Connection,
  consumerGroupHeartbeatV0,
  consumerGroupHeartbeatV1,
} from "@platformatic/kafka";
import type { Cluster } from "../../cluster/cluster.ts";
import { KAFKA, kafkaRefusal } from "../../cluster/kafka-error.ts";
import { request } from "../../cluster/request.ts";
import type { HeartbeatFailure } from "../heartbeat-pace.ts";
import { type Heartbeat, type HeartbeatAnswer, LEAVE_EPOCH } from "./heartbeat.ts";

export type HeartbeatResult =
  | { readonly answer: HeartbeatAnswer }
  | {
      readonly failure: HeartbeatFailure;
      readonly problem: PenstockError;
      /** The group has another coordinator, or none yet. */
      readonly isElsewhere: boolean;
      /** The group, or the broker, takes no members of this protocol: another one may do. */
      readonly isOtherProtocol: boolean;
    };

const API_KEY = 68;

/** Throws PenstockError(kafkaUnsupported) when the broker has no KIP-848. */
export function requireHeartbeats(cluster: Cluster, connection: Connection): void {
  if (cluster.apiVersion(connection, API_KEY, 1) < 0) throw unsupported();
}

export async function sendHeartbeat(
  cluster: Cluster,
  connection: Connection,
  groupId: string,
  heartbeat: Heartbeat,
  rack = "",
): Promise<HeartbeatResult> {
  const owned = heartbeat.owned?.map(({ topicId, partitions }) => ({
    topicId,
    partitions: [...partitions],
  }));
  const topics = heartbeat.subscribedTopics ? [...heartbeat.subscribedTopics] : null;
  const { memberId, memberEpoch, groupInstanceId, rebalanceTimeoutMs } = heartbeat;
  const version = cluster.apiVersion(connection, API_KEY, 1);
  const { api } = version === 1 ? consumerGroupHeartbeatV1 : consumerGroupHeartbeatV0;
  const response = await request(
    connection,
    api,
    groupId,
    memberId,
    memberEpoch,
    groupInstanceId,
    topics && rack !== "" ? rack : null,
    rebalanceTimeoutMs,
    topics,
    null,
    null,
    owned ?? null,
  );
  if (response.errorCode !== KAFKA.none) {
    const of = topics ? ` for topic "${topics.join('", "')}"` : "";
    return refusal(response.errorCode, `consumer group "${groupId}"${of}`, memberEpoch);
  }
  return {
    answer: {
      memberEpoch: response.memberEpoch,
      heartbeatIntervalMs: response.heartbeatIntervalMs,
      assignment: response.assignment?.topicPartitions ?? null,
    },
  };
}

function refusal(code: number, subject: string, memberEpoch: number): HeartbeatResult {
  const problem = code === KAFKA.unsupportedVersion ? unsupported() : kafkaRefusal(code, subject);
  const isOtherProtocol = false;
  switch (code) {
    case KAFKA.unknownMemberId:
    case KAFKA.fencedMemberEpoch:
    case KAFKA.fencedInstanceId:
      return { failure: "memberUnknown", problem, isElsewhere: false, isOtherProtocol };
    case KAFKA.groupIdNotFound: {
      // A join makes the group, so for a join it is a refusal (a group of another type has the name).
      const isMember = memberEpoch > 0 || memberEpoch === LEAVE_EPOCH;
      if (isMember)
        return { failure: "memberUnknown", problem, isElsewhere: false, isOtherProtocol };
      return {
        failure: "refused",
        problem: otherGroup(subject),
        isElsewhere: false,
        isOtherProtocol: true,
      };
    }
    case KAFKA.notCoordinator:
    case KAFKA.coordinatorNotAvailable:
    case KAFKA.coordinatorLoadInProgress:
      return { failure: "transient", problem, isElsewhere: true, isOtherProtocol };
    case KAFKA.requestTimedOut:
    case KAFKA.unknownServerError:
      return { failure: "transient", problem, isElsewhere: false, isOtherProtocol };
    case KAFKA.unreleasedInstanceId:
      return {
        failure: "refused",
        problem: takenInstance(subject),
        isElsewhere: false,
        isOtherProtocol,
      };
    case KAFKA.unsupportedVersion:
      return { failure: "refused", problem, isElsewhere: false, isOtherProtocol: true };
    default:
      return { failure: "refused", problem, isElsewhere: false, isOtherProtocol };
  }
}

function unsupported(): PenstockError {
  return new PenstockError(
    "kafkaUnsupported",
    "The Kafka brokers don't offer the consumer group protocol of KIP-848 (Kafka 4.0 or later, group.version=1); choose PENSTOCK_KAFKA_GROUP_PROTOCOL=auto or classic.",
  );
}

function otherGroup(subject: string): PenstockError {
  return new PenstockError(
    "kafkaUnsupported",
    `The group is not one of KIP-848, and the brokers don't make it one (group.consumer.migration.policy, or members that can't follow); choose PENSTOCK_KAFKA_GROUP_PROTOCOL=auto or classic (${subject}).`,
  );
}

function takenInstance(subject: string): PenstockError {
  return new PenstockError(
    "kafkaUnavailable",
    `Another member of the group has the place of this static member: one that ended without a word, until its session has run out; if this lasts, PENSTOCK_NODE_ID is used twice (${subject}).`,
  );
}
