/**
 * Foreign failures in, PenstockError out: the only place that knows what the client library and the brokers call theirs.
 * Nothing here reads message text.
 */
import { type ErrorCode, InvariantError, PenstockError } from "@penstock/core";

/** Error codes of the Kafka protocol that decisions depend on (https://kafka.apache.org/protocol#protocol_error_codes). */
export const KAFKA = {
  unknownServerError: -1,
  none: 0,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  leaderNotAvailable: 5,
  notLeaderOrFollower: 6,
  requestTimedOut: 7,
  offsetMetadataTooLarge: 12,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  illegalGeneration: 22,
  invalidGroupId: 24,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  invalidCommitOffsetSize: 28,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  unsupportedVersion: 35,
  topicAlreadyExists: 36,
  nonEmptyGroup: 68,
  groupIdNotFound: 69,
  groupMaxSizeReached: 81,
  fencedInstanceId: 82,
  unstableOffsetCommit: 88,
  unknownTopicId: 100,
  fencedMemberEpoch: 110,
  unreleasedInstanceId: 111,
  unsupportedAssignor: 112,
  staleMemberEpoch: 113,
} as const;

/** The table's code for an error code of the protocol. */
export function errorCodeOf(kafkaCode: number): ErrorCode {
  switch (kafkaCode) {
    case KAFKA.unknownTopicOrPartition:
    case KAFKA.invalidTopic:
    case KAFKA.unknownTopicId:
      return "kafkaTopicMissing";
    case KAFKA.topicAuthorizationFailed:
    case KAFKA.groupAuthorizationFailed:
    case KAFKA.clusterAuthorizationFailed:
      return "kafkaAuthorization";
    case KAFKA.unsupportedVersion:
    case KAFKA.unsupportedAssignor:
      return "kafkaUnsupported";
    case KAFKA.illegalGeneration:
    case KAFKA.unknownMemberId:
    case KAFKA.fencedInstanceId:
    case KAFKA.fencedMemberEpoch:
    case KAFKA.staleMemberEpoch:
      return "kafkaFenced";
    case KAFKA.corruptMessage:
      return "kafkaCorrupt";
    default:
      return "kafkaUnavailable";
  }
}

const TEXT: Partial<Record<ErrorCode, string>> = {
  kafkaUnavailable: "A Kafka broker can't be reached or doesn't answer",
  kafkaAuthentication: "Kafka refused the credentials, or the TLS handshake failed",
  kafkaAuthorization: "Kafka's access control refuses this client",
  kafkaTopicMissing: "The topic does not exist",
  kafkaUnsupported: "The Kafka broker doesn't support what Penstock needs",
  kafkaFenced: "Kafka says that this member no longer owns what it acts on",
  kafkaCorrupt: "A Kafka broker sent bytes that break the protocol",
};

/** A PenstockError for an error code in a response. `subject` says what it is about, such as `topic "orders"`. */
export function kafkaRefusal(kafkaCode: number, subject: string): PenstockError {
  const code = errorCodeOf(kafkaCode);
  return new PenstockError(code, `${TEXT[code]} (${subject}, Kafka error ${kafkaCode}).`);
}

/** A PenstockError for anything that a connection, a dial or the client library threw. */
export function toKafkaError(error: unknown, subject: string): PenstockError {
  if (error instanceof PenstockError) return error;
  if (error instanceof InvariantError) throw error;
  const code = findCode(error, 0);
  return new PenstockError(code, `${TEXT[code]} (${subject}).`, { cause: error });
}

const DEPTH_MAX = 8;

/** The library nests causes; the most telling one decides. */
function findCode(error: unknown, depth: number): ErrorCode {
  if (typeof error !== "object" || error === null || depth > DEPTH_MAX) return "kafkaUnavailable";
  const { code, apiCode, cause, errors } = error as Record<string, unknown>;
  if (typeof apiCode === "number")
    return apiCode === 58 ? "kafkaAuthentication" : errorCodeOf(apiCode);
  if (typeof code === "string") {
    if (isTlsCode(code) || code === "PLT_KFK_AUTHENTICATION") return "kafkaAuthentication";
    if (code === "PLT_KFK_UNEXPECTED_CORRELATION_ID" || code === "PLT_KFK_OUT_OF_BOUNDS")
      return "kafkaCorrupt";
    if (code === "PLT_KFK_UNSUPPORTED_API") return "kafkaUnsupported";
  }
  for (const inner of [cause, ...(Array.isArray(errors) ? errors : [])]) {
    const found = findCode(inner, depth + 1);
    if (found !== "kafkaUnavailable") return found;
  }
  // "Broker requires TLS" and "SASL mechanism not supported": settings, and nobody's outage.
  return code === "PLT_KFK_USER" ? "kafkaAuthentication" : "kafkaUnavailable";
}

function isTlsCode(code: string): boolean {
  return (
    code.startsWith("ERR_TLS_") ||
    code.startsWith("ERR_SSL_") ||
    code.startsWith("CERT_") ||
    code.startsWith("UNABLE_TO_") ||
    code.includes("SELF_SIGNED_CERT") ||
    code === "EPROTO"
  );
}
