/**
 * Foreign failures in, PenstockError out: the only place that knows what the client library and the brokers call theirs.
 * Nothing here reads message text.
 */
import { type ErrorCode, InvariantError, PenstockError } from "@penstock/core";
import { TimeoutError } from "@platformatic/kafka";
import { tlsFailure } from "./tls-failure.ts";

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
  inconsistentGroupProtocol: 23,
  invalidGroupId: 24,
  unknownMemberId: 25,
  invalidSessionTimeout: 26,
  rebalanceInProgress: 27,
  invalidCommitOffsetSize: 28,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  clusterAuthorizationFailed: 31,
  unsupportedVersion: 35,
  topicAlreadyExists: 36,
  unsupportedForMessageFormat: 43,
  saslAuthenticationFailed: 58,
  nonEmptyGroup: 68,
  groupIdNotFound: 69,
  memberIdRequired: 79,
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
    case KAFKA.inconsistentGroupProtocol:
    case KAFKA.unsupportedVersion:
    case KAFKA.unsupportedForMessageFormat:
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
  kafkaAuthentication: "Kafka refused the credentials",
  kafkaAuthorization: "Kafka's access control refuses this client",
  kafkaTopicMissing: "The topic does not exist",
  kafkaUnsupported: "The Kafka broker doesn't support what Penstock needs",
  kafkaFenced: "Kafka says that this member no longer owns what it acts on",
  kafkaCorrupt: "A Kafka broker sent bytes that break the protocol",
};

const REFUSED_RESOURCE: Readonly<Record<number, string>> = {
  [KAFKA.topicAuthorizationFailed]: "topic",
  [KAFKA.groupAuthorizationFailed]: "consumer group",
  [KAFKA.clusterAuthorizationFailed]: "cluster",
};

const NO_TIMESTAMPS =
  ": the records of this topic have no timestamps; start at the beginning or the end of it, or raise its message.format.version";

/**
 * A PenstockError for an error code in a response. `subject` says what it is about, such as `topic "orders"`; `operation` is the ACL that the request
 * needs (Read includes Describe).
 */
export function kafkaRefusal(
  kafkaCode: number,
  subject: string,
  operation = "Read",
): PenstockError {
  const code = errorCodeOf(kafkaCode);
  const resource = REFUSED_RESOURCE[kafkaCode];
  const cure =
    kafkaCode === KAFKA.unsupportedForMessageFormat
      ? NO_TIMESTAMPS
      : resource === undefined
        ? ""
        : `: allow it ${operation} on the ${resource}`;
  return new PenstockError(code, `${TEXT[code]}${cure} (${subject}, Kafka error ${kafkaCode}).`);
}

/** A PenstockError for anything that a connection, a dial or the client library threw. */
export function toKafkaError(error: unknown, subject: string): PenstockError {
  if (error instanceof PenstockError) return error;
  if (error instanceof InvariantError) throw error;
  const { code, text } = find(error, 0) ?? { code: "kafkaUnavailable" as const };
  return new PenstockError(code, `${text ?? TEXT[code]} (${subject}).`, { cause: error });
}

interface Finding {
  readonly code: ErrorCode;
  /** Default: the text of the code. */
  readonly text?: string;
}

const DEPTH_MAX = 8;

/** The library nests causes; the most telling one decides. */
function find(error: unknown, depth: number): Finding | null {
  if (typeof error !== "object" || error === null || depth > DEPTH_MAX) return null;
  if (error instanceof TimeoutError) return TOO_LATE;
  const { code, apiCode, cause, errors } = error as Record<string, unknown>;
  if (typeof apiCode === "number")
    return {
      code:
        apiCode === KAFKA.saslAuthenticationFailed ? "kafkaAuthentication" : errorCodeOf(apiCode),
    };
  if (typeof code === "string") {
    const text = tlsFailure(code);
    if (text !== null) return { code: "kafkaTls", text };
    const known = BY_CODE[code];
    if (known) return known;
  }
  for (const inner of [cause, ...(Array.isArray(errors) ? errors : [])]) {
    const found = find(inner, depth + 1);
    if (found !== null && found.code !== "kafkaUnavailable") return found;
    if (found?.text !== undefined) return found;
  }
  return null;
}

const UNKNOWN_HOST =
  "The name of the Kafka broker is not known; correct the host in the bootstrap servers, or the listeners that the brokers advertise";

const TOO_LATE: Finding = {
  code: "kafkaUnavailable",
  text: "The Kafka broker does not answer in time; check host, port and firewalls",
};
const NO_ROUTE: Finding = {
  code: "kafkaUnavailable",
  text: "There is no way to the host of the Kafka broker",
};

/** Codes of Node and of the client library. */
const BY_CODE: Readonly<Record<string, Finding>> = {
  ENOTFOUND: { code: "kafkaHostUnknown", text: UNKNOWN_HOST },
  ENODATA: { code: "kafkaHostUnknown", text: UNKNOWN_HOST },
  EAI_NONAME: { code: "kafkaHostUnknown", text: UNKNOWN_HOST },
  EAI_AGAIN: {
    code: "kafkaHostUnknown",
    text: "The name of the Kafka broker can't be looked up now; correct the host, or repair the name service of this machine",
  },
  ECONNREFUSED: {
    code: "kafkaUnavailable",
    text: "Nothing listens where the Kafka broker should be; correct the port, or start the broker",
  },
  EHOSTUNREACH: NO_ROUTE,
  ENETUNREACH: NO_ROUTE,
  ETIMEDOUT: TOO_LATE,
  PLT_KFK_AUTHENTICATION: { code: "kafkaAuthentication" },
  PLT_KFK_UNEXPECTED_CORRELATION_ID: { code: "kafkaCorrupt" },
  PLT_KFK_OUT_OF_BOUNDS: { code: "kafkaCorrupt" },
  PLT_KFK_UNSUPPORTED_API: { code: "kafkaUnsupported" },
};
