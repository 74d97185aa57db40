import { type InvokeOutcome, PAYLOAD_BYTES_MIN } from "@penstock/core";
import { RETRY_AFTER_MAX_MS } from "./retry-after.ts";

/** gRPC status codes that Penstock tells apart (https://grpc.io/docs/guides/status-codes/). */
const DEADLINE_EXCEEDED = 4;
const RESOURCE_EXHAUSTED = 8;
const UNAVAILABLE = 14;

const NAMES = [
  "OK",
  "CANCELLED",
  "UNKNOWN",
  "INVALID_ARGUMENT",
  "DEADLINE_EXCEEDED",
  "NOT_FOUND",
  "ALREADY_EXISTS",
  "PERMISSION_DENIED",
  "RESOURCE_EXHAUSTED",
  "FAILED_PRECONDITION",
  "ABORTED",
  "OUT_OF_RANGE",
  "UNIMPLEMENTED",
  "INTERNAL",
  "UNAVAILABLE",
  "DATA_LOSS",
  "UNAUTHENTICATED",
] as const;

/** What the function's server said at the end of a call. */
export interface GrpcAnswer {
  /** `grpc-status` as it came. */
  readonly status: string;
  /** `grpc-message` as it came, percent-encoded. */
  readonly message: string;
  /** `grpc-retry-pushback-ms` as it came. */
  readonly pushback: string | undefined;
  readonly payloadBytes: number;
}

/** The outcome of an answer; null for OK, provided that one whole valid message came with it. */
export function classifyGrpcAnswer(answer: GrpcAnswer): InvokeOutcome | null {
  if (!/^\d{1,3}$/.test(answer.status)) {
    return { kind: "invalidResponse", message: "the answer has no valid grpc-status" };
  }
  const code = Number(answer.status);
  if (code === 0) return null;
  const message = `the function answered ${NAMES[code] ?? `gRPC code ${code}`}`;
  if (code === DEADLINE_EXCEEDED) return { kind: "timeout", message };
  if (code === RESOURCE_EXHAUSTED && isAboutMessageSize(answer)) {
    return {
      kind: "functionError",
      statusCode: code,
      message: `${message}: a payload of ${answer.payloadBytes} bytes is over its message size limit`,
    };
  }
  if (code === UNAVAILABLE || code === RESOURCE_EXHAUSTED) {
    return { kind: "throttled", retryAfterMs: pushbackOf(answer.pushback), message };
  }
  return { kind: "functionError", statusCode: code, message };
}

/**
 * A server that refuses a message for its size says so with the code that also means "busy"; its words are all that tells the two apart.
 * grpc-js, Go, Python and C++: "received message larger than max"; Java: "gRPC message exceeds maximum size"; .NET: "exceeds the maximum
 * configured message size"; Connect: "larger than configured" and "exceeds".
 */
const SIZE_WORDS = /message.{0,40}(larger than|exceeds|exceeded|too large|too big)/i;

function isAboutMessageSize(answer: GrpcAnswer): boolean {
  return answer.payloadBytes >= PAYLOAD_BYTES_MIN && SIZE_WORDS.test(decoded(answer.message));
}

function decoded(message: string): string {
  const short = message.slice(0, 1024);
  try {
    return decodeURIComponent(short);
  } catch {
    // Not percent-encoded after all: the text as it came will do.
    return short;
  }
}

function pushbackOf(value: string | undefined): number | null {
  return value !== undefined && /^\d{1,12}$/.test(value)
    ? Math.min(Number(value), RETRY_AFTER_MAX_MS)
    : null;
}

/** How far a gRPC call was when it broke without an answer. */
export interface GrpcBreak {
  readonly isSent: boolean;
  /** HTTP/2 error code of a reset stream, 0 when there was none. */
  readonly resetCode: number;
  /** Machine code of the failure, empty when it has none. */
  readonly code: string;
}

/** RFC 9113 §7. A refused stream was not processed in any way. */
const REFUSED_STREAM = 7;
const ENHANCE_YOUR_CALM = 11;

/** The outcome of a call that broke before its answer was complete and before its deadline. */
export function classifyGrpcBreak(failure: GrpcBreak): InvokeOutcome {
  const why = failure.code === "" ? "" : ` (${failure.code})`;
  if (!failure.isSent || failure.resetCode === REFUSED_STREAM) {
    return { kind: "unreachable", message: `the function was not reached${why}` };
  }
  if (failure.resetCode === ENHANCE_YOUR_CALM) {
    return {
      kind: "throttled",
      retryAfterMs: null,
      message: "the function's server asked for calm (HTTP/2 ENHANCE_YOUR_CALM)",
    };
  }
  return {
    kind: "functionError",
    statusCode: 0,
    message: `the stream broke before the answer was complete${why}`,
  };
}
