import type { InvokeOutcome } from "@penstock/core";
import { parseRetryAfter } from "./retry-after.ts";

/** What the head of an HTTP answer says. Header values as text; a repeated header counts as its first value. */
export interface HttpAnswerHead {
  readonly status: number;
  readonly retryAfter: string | undefined;
  readonly contentEncoding: string | undefined;
  /** `X-Amz-Function-Error`: how Lambda's Invoke API and its emulators mark a failed run under status 200. */
  readonly functionError: string | undefined;
}

/**
 * The outcome of a call whose answer began with `head`. Null means success, provided that the whole body arrives: for every other answer
 * the head alone decides, and the body is only drained.
 */
export function classifyHttpHead(head: HttpAnswerHead, wallMs: number): InvokeOutcome | null {
  const { status } = head;
  if (status === 429 || status === 503) {
    return {
      kind: "throttled",
      retryAfterMs: parseRetryAfter(head.retryAfter, wallMs),
      message: `the function answered HTTP ${status}`,
    };
  }
  if (status < 200 || status > 299) {
    const note = status >= 300 && status < 400 ? "; redirects are not followed" : "";
    return {
      kind: "functionError",
      statusCode: status,
      message: `the function answered HTTP ${status}${note}`,
    };
  }
  if (head.functionError !== undefined) {
    return {
      kind: "functionError",
      statusCode: status,
      message: "the function answered with X-Amz-Function-Error",
    };
  }
  if (head.contentEncoding !== undefined && !isIdentity(head.contentEncoding)) {
    return {
      kind: "invalidResponse",
      message: "the answer is compressed although the request accepts identity only",
    };
  }
  return null;
}

function isIdentity(encoding: string): boolean {
  const text = encoding.trim().toLowerCase();
  return text === "" || text === "identity";
}

/** How far an exchange was when it broke. */
export interface HttpBreak {
  /** The request had begun to leave: the function may have run. */
  readonly isSent: boolean;
  /** Status of the answer, 0 when its head never came. */
  readonly status: number;
  /** Machine code of the failure (`ECONNREFUSED`, `UND_ERR_SOCKET`, `HPE_…`), empty when it has none. */
  readonly code: string;
}

/** The outcome of an exchange that broke before the answer was complete and before its deadline. */
export function classifyHttpBreak(failure: HttpBreak): InvokeOutcome {
  const why = failure.code === "" ? "" : ` (${failure.code})`;
  if (!failure.isSent) {
    return { kind: "unreachable", message: `the function was not reached${why}` };
  }
  if (isMalformed(failure.code)) {
    return { kind: "invalidResponse", message: `the answer is not valid HTTP${why}` };
  }
  return {
    kind: "functionError",
    statusCode: failure.status,
    message: `the connection broke before the answer was complete${why}`,
  };
}

/** Codes by which undici and llhttp say that bytes came, and were wrong or too many. */
function isMalformed(code: string): boolean {
  return (
    code.startsWith("HPE_") ||
    code === "UND_ERR_HEADERS_OVERFLOW" ||
    code === "UND_ERR_RES_CONTENT_LENGTH_MISMATCH" ||
    code === "UND_ERR_RES_EXCEEDED_MAX_SIZE"
  );
}
