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
  readonly rpc: RpcCode;
  readonly http: number;
  /** `x-amzn-ErrorType` on the AWS wire. */
  readonly aws: string;
  readonly retry: RetryClass;
}

export const ERROR_TABLE = {
  invalidArgument: {
    rpc: "INVALID_ARGUMENT",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "never",
  },
  notFound: { rpc: "NOT_FOUND", http: 404, aws: "ResourceNotFoundException", retry: "never" },
  conflict: { rpc: "ALREADY_EXISTS", http: 409, aws: "ResourceConflictException", retry: "never" },
  inUse: { rpc: "FAILED_PRECONDITION", http: 400, aws: "ResourceInUseException", retry: "retry" },
  aborted: { rpc: "ABORTED", http: 409, aws: "ResourceConflictException", retry: "retry" },
  limitExceeded: {
    rpc: "RESOURCE_EXHAUSTED",
    http: 429,
    aws: "TooManyRequestsException",
    retry: "retry",
  },
  unavailable: { rpc: "UNAVAILABLE", http: 503, aws: "ServiceException", retry: "retry" },
  deadlineExceeded: {
    rpc: "DEADLINE_EXCEEDED",
    http: 504,
    aws: "ServiceException",
    retry: "retry",
  },
  cancelled: { rpc: "CANCELLED", http: 499, aws: "ServiceException", retry: "retry" },
  permissionDenied: {
    rpc: "PERMISSION_DENIED",
    http: 403,
    aws: "AccessDeniedException",
    retry: "operator",
  },
  unauthenticated: {
    rpc: "UNAUTHENTICATED",
    http: 401,
    aws: "UnrecognizedClientException",
    retry: "operator",
  },
  /** AWS face: no credentials at all. */
  awsTokenMissing: {
    rpc: "UNAUTHENTICATED",
    http: 403,
    aws: "MissingAuthenticationTokenException",
    retry: "operator",
  },
  /** AWS face: an Authorization header that isn't a whole signature. */
  awsSignatureIncomplete: {
    rpc: "UNAUTHENTICATED",
    http: 403,
    aws: "IncompleteSignatureException",
    retry: "operator",
  },
  /** AWS face: a signature that isn't that of the request, or too old. */
  awsSignatureInvalid: {
    rpc: "UNAUTHENTICATED",
    http: 403,
    aws: "InvalidSignatureException",
    retry: "operator",
  },
  /** AWS face: the access key is not known, or has expired. */
  awsKeyUnknown: {
    rpc: "UNAUTHENTICATED",
    http: 403,
    aws: "UnrecognizedClientException",
    retry: "operator",
  },
  unimplemented: { rpc: "UNIMPLEMENTED", http: 501, aws: "ServiceException", retry: "never" },
  internal: { rpc: "INTERNAL", http: 500, aws: "ServiceException", retry: "never" },
  /** A Kafka broker can't be reached, or doesn't answer in time. */
  kafkaUnavailable: { rpc: "UNAVAILABLE", http: 503, aws: "ServiceException", retry: "retry" },
  /** The name of a bootstrap server or of an advertised broker can't be resolved. */
  kafkaHostUnknown: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** The broker's certificate is not trusted, has expired or names somebody else; or it refuses the client's certificate. */
  kafkaTls: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** TLS was spoken to a plaintext port, or plaintext to a TLS port. */
  kafkaProtocolMismatch: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** Kafka refused the credentials or the mechanism (SASL). */
  kafkaAuthentication: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** Kafka's ACLs refuse the topic, the group or the cluster. */
  kafkaAuthorization: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** The topic doesn't exist. */
  kafkaTopicMissing: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** The broker can't do what Penstock needs (no KIP-848, unsupported version). */
  kafkaUnsupported: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** Kafka says that the member, its epoch or its partition is no longer ours. */
  kafkaFenced: { rpc: "ABORTED", http: 409, aws: "ServiceException", retry: "never" },
  /** Bytes from the broker that break the protocol, a checksum or a limit. */
  kafkaCorrupt: { rpc: "INTERNAL", http: 500, aws: "ServiceException", retry: "retry" },
  /** The committed offset lies above the end of the log. */
  kafkaOffsetAboveEnd: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "ServiceException",
    retry: "operator",
  },
  /** A secret that is referred to does not exist. */
  secretMissing: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** A secret is not what its use needs. */
  secretMalformed: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** The policy of a secret does not allow this use: these brokers, or this caller. */
  secretDenied: {
    rpc: "PERMISSION_DENIED",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** The store of a secret, or the token endpoint that it names, does not answer. */
  secretUnavailable: {
    rpc: "UNAVAILABLE",
    http: 503,
    aws: "ServiceException",
    retry: "retry",
  },
  /** The filter criteria of a mapping are encrypted under a key that is not there, or not the one. */
  filterUndecryptable: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** The function of a mapping is not in the registry. */
  functionMissing: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
  /** The function can't be called: refused, no such host, TLS, denied address, or it answers with errors. */
  functionFailing: {
    rpc: "UNAVAILABLE",
    http: 503,
    aws: "ServiceException",
    retry: "retry",
  },
  /** The address guard refuses a target. */
  addressDenied: {
    rpc: "FAILED_PRECONDITION",
    http: 400,
    aws: "InvalidParameterValueException",
    retry: "operator",
  },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERROR_TABLE;
