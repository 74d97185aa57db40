/**
 * The one table of error codes: what each code becomes on gRPC, on HTTP and on the AWS wire, and who may
 * try again. Adapters translate foreign failures into these codes; edges translate them out; nobody in between parses text.
 */

/** gRPC status names (https://grpc.io/docs/guides/status-codes/), in the spelling of the specification. */
export type RpcCode =
  | "INVALID_ARGUMENT"
  | "NOT_FOUND"
  | "ALREADY_EXISTS"
  | "FAILED_PRECONDITION"
  | "ABORTED"
  | "RESOURCE_EXHAUSTED"
  | "UNAVAILABLE"
  | "DEADLINE_EXCEEDED"
  | "PERMISSION_DENIED"
  | "UNAUTHENTICATED"
  | "UNIMPLEMENTED"
  | "CANCELLED"
  | "INTERNAL";

/** Who may repeat the failed operation: nobody, anybody at once or later, or only after an operator changed something. */
export type RetryClass = "never" | "retry" | "operator";

export interface ErrorRow {
  /** For `docs/operating/errors.md`: what has happened, in sentences. */
  readonly meaning: string;
  readonly rpc: RpcCode;
  readonly http: number;
  /** `x-amzn-ErrorType` on the AWS wire. */
  readonly aws: string;
  readonly retry: RetryClass;
}

export const ERROR_TABLE = {
  invalidArgument: {
    meaning:
      "A value of the request is out of range, malformed, or not allowed together with another. The message and the details name the field.",
    rpc: "INVALID_ARGUMENT",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "never",
  },
  notFound: {
    meaning: "What is named does not exist.",
    rpc: "NOT_FOUND",
    http: 404,
    aws: "ResourceNotFoundException",
    retry: "never",
  },
  conflict: {
    meaning: "It collides with something that exists: the message names it.",
    rpc: "ALREADY_EXISTS",
    http: 409,
    aws: "ResourceConflictException",
    retry: "never",
  },
  inUse: {
    meaning:
      "The mapping is being created, updated, enabled or deleted. All but a deletion end within 30 s.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "ResourceInUseException",
    retry: "retry",
  },
  aborted: {
    meaning: "Somebody else changed it meanwhile: read again, then try again.",
    rpc: "ABORTED",
    http: 409,
    aws: "ResourceConflictException",
    retry: "retry",
  },
  limitExceeded: {
    meaning: "A limit of this service, or of a function, is reached for the moment.",
    rpc: "RESOURCE_EXHAUSTED",
    http: 429,
    aws: "TooManyRequestsException",
    retry: "retry",
  },
  unavailable: {
    meaning:
      "Something that is needed is away, such as the database. Nothing was changed, unless the answer itself was lost: repeat it with the same `request_id`.",
    rpc: "UNAVAILABLE",
    http: 503,
    aws: "ServiceException",
    retry: "retry",
  },
  deadlineExceeded: {
    meaning: "It took longer than the caller or the service allows.",
    rpc: "DEADLINE_EXCEEDED",
    http: 504,
    aws: "ServiceException",
    retry: "retry",
  },
  cancelled: {
    meaning: "The caller went away, or the service is stopping.",
    rpc: "CANCELLED",
    http: 499,
    aws: "ServiceException",
    retry: "retry",
  },
  permissionDenied: {
    meaning: "The caller is known and may not do this: its role, or the node that it says it is.",
    rpc: "PERMISSION_DENIED",
    http: 403,
    aws: "AccessDeniedException",
    retry: "operator",
  },
  unauthenticated: {
    meaning: "No credentials, or none that are good (any more).",
    rpc: "UNAUTHENTICATED",
    http: 401,
    aws: "UnrecognizedClientException",
    retry: "operator",
  },
  awsTokenMissing: {
    meaning: "AWS face: no credentials at all.",
    rpc: "UNAUTHENTICATED",
    http: 403,
    aws: "MissingAuthenticationTokenException",
    retry: "operator",
  },
  awsSignatureIncomplete: {
    meaning: "AWS face: an Authorization header that isn't a whole signature.",
    rpc: "UNAUTHENTICATED",
    http: 403,
    aws: "IncompleteSignatureException",
    retry: "operator",
  },
  awsSignatureInvalid: {
    meaning: "AWS face: a signature that isn't that of the request, or too old.",
    rpc: "UNAUTHENTICATED",
    http: 403,
    aws: "InvalidSignatureException",
    retry: "operator",
  },
  awsKeyUnknown: {
    meaning: "AWS face: the access key is not known, or has expired.",
    rpc: "UNAUTHENTICATED",
    http: 403,
    aws: "UnrecognizedClientException",
    retry: "operator",
  },
  unimplemented: {
    meaning: "There is no such call, or it is not offered here.",
    rpc: "UNIMPLEMENTED",
    http: 501,
    aws: "ServiceException",
    retry: "never",
  },
  internal: {
    meaning: "A bug, or stored data that can't be read. The log has the detail.",
    rpc: "INTERNAL",
    http: 500,
    aws: "ServiceException",
    retry: "never",
  },
  kafkaUnavailable: {
    meaning: "A Kafka broker can't be reached, or doesn't answer in time.",
    rpc: "UNAVAILABLE",
    http: 503,
    aws: "ServiceException",
    retry: "retry",
  },
  kafkaHostUnknown: {
    meaning: "The name of a bootstrap server or of an advertised broker can't be resolved.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  kafkaTls: {
    meaning:
      "The broker's certificate is not trusted, has expired or names somebody else; or it refuses the client's certificate.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  kafkaProtocolMismatch: {
    meaning: "TLS was spoken to a plaintext port, or plaintext to a TLS port.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  kafkaAuthentication: {
    meaning: "Kafka refused the credentials or the mechanism (SASL).",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  kafkaAuthorization: {
    meaning: "Kafka's ACLs refuse the topic, the group or the cluster.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  kafkaTopicMissing: {
    meaning: "The topic doesn't exist.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  kafkaUnsupported: {
    meaning: "The broker can't do what Penstock needs (its version, or the group protocol).",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  kafkaFenced: {
    meaning: "Kafka says that the member, its epoch or its partition is no longer ours.",
    rpc: "ABORTED",
    http: 409,
    aws: "ServiceException",
    retry: "never",
  },
  kafkaCorrupt: {
    meaning: "Bytes from the broker that break the protocol, a checksum or a limit.",
    rpc: "INTERNAL",
    http: 500,
    aws: "ServiceException",
    retry: "retry",
  },
  kafkaOffsetAboveEnd: {
    meaning: "The committed offset lies above the end of the log.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "ServiceException",
    retry: "operator",
  },
  secretMissing: {
    meaning: "A secret that is referred to does not exist.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  secretMalformed: {
    meaning: "A secret is not what its use needs.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  secretDenied: {
    meaning: "The policy of a secret does not allow this use: these brokers, or this caller.",
    rpc: "PERMISSION_DENIED",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  secretUnavailable: {
    meaning: "The store of a secret, or the token endpoint that it names, does not answer.",
    rpc: "UNAVAILABLE",
    http: 503,
    aws: "ServiceException",
    retry: "retry",
  },
  filterUndecryptable: {
    meaning:
      "The filter criteria of a mapping are encrypted under a key that is not there, or not the one.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  functionMissing: {
    meaning: "The function of a mapping is not in the registry.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  functionFailing: {
    meaning:
      "The function can't be called: refused, no such host, TLS, denied address, or it answers with errors.",
    rpc: "UNAVAILABLE",
    http: 503,
    aws: "ServiceException",
    retry: "retry",
  },
  addressDenied: {
    meaning: "The address guard refuses a target.",
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;
