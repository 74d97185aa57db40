/** JoinGroup (11), Heartbeat (12), LeaveGroup (13) and SyncGroup (14) on the wire. */
import { PenstockError } from "@penstock/core";
import {
  type Connection,
  heartbeatV1,
  heartbeatV2,
  heartbeatV3,
  heartbeatV4,
  joinGroupV2,
  joinGroupV3,
  joinGroupV4,
  joinGroupV5,
  joinGroupV6,
  joinGroupV7,
  joinGroupV8,
  joinGroupV9,
  leaveGroupV0,
  leaveGroupV1,
  leaveGroupV2,
  leaveGroupV3,
  leaveGroupV4,
  leaveGroupV5,
  syncGroupV1,
  syncGroupV2,
  syncGroupV3,
  syncGroupV4,
  syncGroupV5,
} from "@platformatic/kafka";
import { KAFKA, kafkaRefusal } from "../../cluster/kafka-error.ts";
import { ask, type VersionSource, type VersionTable } from "../../cluster/versions/ask.ts";
import { PROTOCOL_TYPE } from "./consumer-protocol.ts";
import type {
  ClassicFailure,
  JoinAnswer,
  JoinRequest,
  MemberName,
  SyncRequest,
} from "./exchange.ts";

/** A code of the coordinator that brought no answer, and what it means. */
export interface Refusal {
  readonly failure: ClassicFailure;
  readonly problem: PenstockError;
  /** The group has another coordinator, or none yet. */
  readonly isElsewhere: boolean;
  /** The group, or the broker, takes no classic members: another protocol may do. */
  readonly isOtherProtocol: boolean;
}

const JOIN: VersionTable<
  Parameters<typeof joinGroupV9.createRequest>,
  joinGroupV9.JoinGroupResponse
> = {
  name: "JoinGroup",
  since: "0.11",
  versions: [
    joinGroupV9.api,
    joinGroupV8.api,
    joinGroupV7.api,
    joinGroupV6.api,
    joinGroupV5.api,
    joinGroupV4.api,
    joinGroupV3.api,
    joinGroupV2.api,
  ],
};

const SYNC: VersionTable<
  Parameters<typeof syncGroupV5.createRequest>,
  syncGroupV5.SyncGroupResponse
> = {
  name: "SyncGroup",
  since: "0.11",
  versions: [syncGroupV5.api, syncGroupV4.api, syncGroupV3.api, syncGroupV2.api, syncGroupV1.api],
};

const HEARTBEAT: VersionTable<
  Parameters<typeof heartbeatV4.createRequest>,
  heartbeatV4.HeartbeatResponse
> = {
  name: "Heartbeat",
  since: "0.11",
  versions: [heartbeatV4.api, heartbeatV3.api, heartbeatV2.api, heartbeatV1.api],
};

const LEAVE: VersionTable<
  Parameters<typeof leaveGroupV5.createRequest>,
  leaveGroupV5.LeaveGroupResponse
> = {
  name: "LeaveGroup",
  since: "0.10.1",
  versions: [
    leaveGroupV5.api,
    leaveGroupV4.api,
    leaveGroupV3.api,
    leaveGroupV2.api,
    leaveGroupV1.api,
    leaveGroupV0.api,
  ],
};

/** Whether the coordinator knows static members (KIP-345, Kafka 2.3). */
export function knowsInstances(versions: VersionSource, connection: Connection): boolean {
  return joinVersion(versions, connection) >= joinGroupV5.api.version;
}

function joinVersion(versions: VersionSource, connection: Connection): number {
  const [{ key, version }] = JOIN.versions;
  return versions.apiVersion(connection, key, version);
}

export async function sendJoin(
  versions: VersionSource,
  connection: Connection,
  groupId: string,
  request: JoinRequest,
): Promise<{ answer: JoinAnswer } | { memberId: string } | Refusal> {
  const { memberId, groupInstanceId, sessionTimeoutMs, rebalanceTimeoutMs, protocols } = request;
  const response = await ask(
    versions,
    connection,
    JOIN,
    groupId,
    sessionTimeoutMs,
    rebalanceTimeoutMs,
    memberId,
    groupInstanceId,
    PROTOCOL_TYPE,
    [...protocols],
    null,
  );
  if (response.errorCode === KAFKA.memberIdRequired) return { memberId: response.memberId };
  if (response.errorCode !== KAFKA.none) return refusalOf(response.errorCode, groupId);
  const answer: JoinAnswer = {
    memberId: response.memberId,
    generation: response.generationId,
    protocol: response.protocolName ?? "",
    leaderId: response.leader,
    skipsAssignment: response.skipAssignment ?? false,
    mayHideLeader:
      groupInstanceId !== null &&
      memberId === "" &&
      joinVersion(versions, connection) < joinGroupV9.api.version,
    members: response.members.map((member) => ({
      memberId: member.memberId,
      groupInstanceId: member.groupInstanceId ?? null,
      metadata: member.metadata,
    })),
  };
  return { answer };
}

export async function sendSync(
  versions: VersionSource,
  connection: Connection,
  groupId: string,
  request: SyncRequest,
): Promise<{ assignment: Buffer } | Refusal> {
  const { memberId, groupInstanceId, generation, protocol, assignments } = request;
  const response = await ask(
    versions,
    connection,
    SYNC,
    groupId,
    generation,
    memberId,
    groupInstanceId,
    PROTOCOL_TYPE,
    protocol,
    [...assignments],
  );
  if (response.errorCode !== KAFKA.none) return refusalOf(response.errorCode, groupId);
  return { assignment: response.assignment };
}

/** Null: all is well. */
export async function sendClassicHeartbeat(
  versions: VersionSource,
  connection: Connection,
  groupId: string,
  { memberId, groupInstanceId, generation }: MemberName,
): Promise<Refusal | null> {
  const { errorCode } = await ask(
    versions,
    connection,
    HEARTBEAT,
    groupId,
    generation,
    memberId,
    groupInstanceId,
  );
  return errorCode === KAFKA.none ? null : refusalOf(errorCode, groupId);
}

/** Null: the group doesn't have the member any more. An instance id removes a static member whatever its member id ("") is. */
export async function sendLeave(
  versions: VersionSource,
  connection: Connection,
  groupId: string,
  { memberId, groupInstanceId }: Pick<MemberName, "memberId" | "groupInstanceId">,
): Promise<Refusal | null> {
  const { errorCode, members } = await ask(versions, connection, LEAVE, groupId, [
    { memberId, groupInstanceId },
  ]);
  const code = errorCode === KAFKA.none ? (members?.[0]?.errorCode ?? KAFKA.none) : errorCode;
  return code === KAFKA.none ? null : refusalOf(code, groupId);
}

function refusalOf(code: number, groupId: string): Refusal {
  const failure = failureOf(code);
  return {
    failure,
    problem: problemOf(code, groupId),
    isElsewhere:
      code === KAFKA.notCoordinator ||
      code === KAFKA.coordinatorNotAvailable ||
      code === KAFKA.coordinatorLoadInProgress,
    isOtherProtocol:
      code === KAFKA.unsupportedVersion ||
      code === KAFKA.inconsistentGroupProtocol ||
      code === KAFKA.groupIdNotFound,
  };
}

function failureOf(code: number): ClassicFailure {
  switch (code) {
    case KAFKA.unknownMemberId:
      return "memberUnknown";
    case KAFKA.fencedInstanceId:
      return "instanceTaken";
    case KAFKA.illegalGeneration:
      return "otherGeneration";
    case KAFKA.rebalanceInProgress:
      return "rebalancing";
    case KAFKA.invalidSessionTimeout:
      return "sessionRefused";
    case KAFKA.notCoordinator:
    case KAFKA.coordinatorNotAvailable:
    case KAFKA.coordinatorLoadInProgress:
    case KAFKA.requestTimedOut:
    case KAFKA.unknownServerError:
      return "transient";
    default:
      return "refused";
  }
}

function problemOf(code: number, groupId: string): PenstockError {
  const group = `consumer group "${groupId}"`;
  if (code === KAFKA.inconsistentGroupProtocol)
    return new PenstockError(
      "kafkaUnsupported",
      `The members of ${group} share no assignor with Penstock (cooperative-sticky, range, roundrobin, RoundRobinAssigner); give them one of these, or the mapping another group (Kafka error ${code}).`,
    );
  if (code === KAFKA.invalidSessionTimeout)
    return new PenstockError(
      "kafkaUnsupported",
      `The brokers allow none of the session timeouts that were tried for ${group}; correct group.min.session.timeout.ms and group.max.session.timeout.ms (Kafka error ${code}).`,
    );
  return kafkaRefusal(code, group);
}
