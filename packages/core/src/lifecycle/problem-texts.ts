import type { ErrorCode } from "../errors/error-table.ts";
import type { MappingProblem } from "./mapping-problem.ts";

/** AWS's codes of a StateTransitionReason ("Troubleshooting Kafka event source mapping issues"). */
export type AwsProblemCode =
  | "ESM_CONFIG_NOT_VALID"
  | "EVENT_SOURCE_AUTHN_ERROR"
  | "EVENT_SOURCE_AUTHZ_ERROR"
  | "FUNCTION_CONFIG_NOT_VALID";

export interface ProblemText {
  /** Null when AWS has none: the state's reason stays the user's. */
  readonly awsCode: AwsProblemCode | null;
  /** What LastProcessingResult says after `PROBLEM: ` and before the cause: AWS's words where they are known. */
  readonly lastProcessingResult: string;
}

/** The reason of a state that the user asked for and got. */
export const USER_INITIATED = "USER_INITIATED";

const CONFIG = "ESM_CONFIG_NOT_VALID";
const AUTHENTICATION = "EVENT_SOURCE_AUTHN_ERROR";
const AUTHORIZATION = "EVENT_SOURCE_AUTHZ_ERROR";

/** AWS's words for brokers that can't be reached. */
const CONNECTION = "Connection error. Please check your event source connection configuration";

/** By error code; a code that is not here is {@link UNKNOWN}. Words of AWS: "Cluster failed to authorize Lambda" and so on. */
export const PROBLEM_TEXTS: Readonly<Partial<Record<ErrorCode, ProblemText>>> = {
  kafkaHostUnknown: { awsCode: CONFIG, lastProcessingResult: CONNECTION },
  kafkaUnavailable: { awsCode: CONFIG, lastProcessingResult: CONNECTION },
  kafkaProtocolMismatch: { awsCode: CONFIG, lastProcessingResult: CONNECTION },
  kafkaTls: {
    awsCode: AUTHENTICATION,
    lastProcessingResult: "Lambda failed to authenticate server",
  },
  kafkaAuthentication: {
    awsCode: AUTHENTICATION,
    lastProcessingResult: "SASL authentication failed",
  },
  kafkaAuthorization: {
    awsCode: AUTHORIZATION,
    lastProcessingResult: "Cluster failed to authorize Lambda",
  },
  kafkaTopicMissing: { awsCode: CONFIG, lastProcessingResult: "Topic not found" },
  kafkaUnsupported: { awsCode: CONFIG, lastProcessingResult: "Cluster not supported" },
  kafkaFenced: { awsCode: null, lastProcessingResult: "Consumer group membership lost" },
  kafkaCorrupt: { awsCode: null, lastProcessingResult: "Cluster answered out of protocol" },
  kafkaOffsetAboveEnd: {
    awsCode: CONFIG,
    lastProcessingResult: "Committed offset is above the end of the log",
  },
  secretMissing: { awsCode: AUTHENTICATION, lastProcessingResult: "Secret not found" },
  secretMalformed: {
    awsCode: AUTHENTICATION,
    lastProcessingResult: "Provided certificate or private key is invalid",
  },
  secretDenied: { awsCode: AUTHENTICATION, lastProcessingResult: "Secret access denied" },
  secretUnavailable: { awsCode: AUTHENTICATION, lastProcessingResult: "Secret not available" },
  functionMissing: {
    awsCode: "FUNCTION_CONFIG_NOT_VALID",
    lastProcessingResult: "Function does not exist",
  },
  functionFailing: { awsCode: null, lastProcessingResult: "Function call failed" },
  limitExceeded: { awsCode: null, lastProcessingResult: "Function call throttled" },
  addressDenied: { awsCode: CONFIG, lastProcessingResult: "Address not allowed" },
  filterUndecryptable: { awsCode: CONFIG, lastProcessingResult: "Filter criteria not readable" },
  invalidArgument: { awsCode: CONFIG, lastProcessingResult: "Configuration is not valid" },
  unimplemented: { awsCode: CONFIG, lastProcessingResult: "Configuration is not valid" },
};

const UNKNOWN: ProblemText = { awsCode: null, lastProcessingResult: "Not running" };

/** AWS's code for a problem, null when it has none. */
export function awsCodeOf(code: string): AwsProblemCode | null {
  return textOf(code).awsCode;
}

/** StateTransitionReason of a mapping with this problem. */
export function stateReasonOf(problem: MappingProblem | null): string {
  if (problem === null) return USER_INITIATED;
  return awsCodeOf(problem.code) ?? USER_INITIATED;
}

/** LastProcessingResult of a mapping with this problem: AWS's words, then the precise cause. */
export function processingResultOf({ code, message }: MappingProblem): string {
  return `PROBLEM: ${textOf(code).lastProcessingResult}. ${message}`;
}

function textOf(code: string): ProblemText {
  return Object.hasOwn(PROBLEM_TEXTS, code)
    ? (PROBLEM_TEXTS[code as ErrorCode] ?? UNKNOWN)
    : UNKNOWN;
}
