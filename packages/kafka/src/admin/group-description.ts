/**
 * What a consumer group is and who is in it, whichever protocol it speaks.
 *
 * Groups of KIP-848 and classic ones are described by requests of their own. The first is asked where it is offered, and the other when it knows no such
 * group. Members of the classic protocol in a group of KIP-848 are in its description.
 */
import type { Connection, describeGroupsV5 } from "@platformatic/kafka";
import type { KafkaCluster } from "../cluster/kafka-cluster.ts";
import { KAFKA } from "../cluster/kafka-error.ts";
import { ask, bestVersion } from "../cluster/versions/ask.ts";
import { CONSUMER_GROUP_DESCRIBE, DESCRIBE_GROUPS } from "../cluster/versions/group-apis.ts";
import { decodeAssignment } from "../group/classic/consumer-protocol.ts";

export interface GroupDescription {
  /**
   * `Empty`, `Stable`; with KIP-848 `Assigning`, `Reconciling`, in classic groups `PreparingRebalance`, `CompletingRebalance`; `Dead` when there is no
   * such group.
   */
  readonly state: string;
  readonly members: readonly GroupMemberDescription[];
}

export interface GroupMemberDescription {
  readonly memberId: string;
  readonly clientId: string;
  readonly clientHost: string;
  /** -1 in classic groups, which don't tell their generation. */
  readonly memberEpoch: number;
  readonly assignment: readonly {
    readonly topic: string;
    readonly partitions: readonly number[];
  }[];
}

const NO_GROUP: GroupDescription = { state: "Dead", members: [] };

/** An error code when the coordinator refuses. */
export async function askForGroup(
  cluster: KafkaCluster,
  connection: Connection,
  groupId: string,
): Promise<GroupDescription | number> {
  if (bestVersion(cluster, connection, CONSUMER_GROUP_DESCRIBE) !== null) {
    const described = await askConsumerGroup(cluster, connection, groupId);
    // A broker may know the request without having the protocol turned on.
    if (described !== KAFKA.groupIdNotFound && described !== KAFKA.unsupportedVersion)
      return described;
  }
  const { groups } = await ask(cluster, connection, DESCRIBE_GROUPS, [groupId], false);
  const [group] = groups;
  if (!group || group.errorCode === KAFKA.groupIdNotFound) return NO_GROUP;
  if (group.errorCode !== KAFKA.none) return group.errorCode;
  return { state: group.groupState, members: group.members.map(classicMember) };
}

async function askConsumerGroup(
  cluster: KafkaCluster,
  connection: Connection,
  groupId: string,
): Promise<GroupDescription | number> {
  const { groups } = await ask(cluster, connection, CONSUMER_GROUP_DESCRIBE, [groupId], false);
  const [group] = groups;
  if (!group) return KAFKA.groupIdNotFound;
  if (group.errorCode !== KAFKA.none) return group.errorCode;
  return {
    state: group.groupState,
    members: group.members.map(({ memberId, clientId, clientHost, memberEpoch, assignment }) => ({
      memberId,
      clientId,
      clientHost,
      memberEpoch,
      assignment: assignment.topicPartitions.map(({ topicName, partitions }) => ({
        topic: topicName,
        partitions,
      })),
    })),
  };
}

/** What a member has got is in words of the clients; one that speaks others counts as having nothing. */
function classicMember({
  memberId,
  clientId,
  clientHost,
  memberAssignment,
}: describeGroupsV5.DescribeGroupsResponseMember): GroupMemberDescription {
  const assignment = decodeAssignment(memberAssignment)?.partitions ?? [];
  return { memberId, clientId, clientHost, memberEpoch: -1, assignment };
}
