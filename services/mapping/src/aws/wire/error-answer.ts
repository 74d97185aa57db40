/**
 * Errors on the AWS wire: `x-amzn-ErrorType` names the error, the body explains it.
 *
 *     AwsRefusal ───────────────┐
 *     PenstockError ─ ERROR_TABLE ─┼─▶ { status, x-amzn-ErrorType, { Type, message | Message } }
 *     anything else: a bug ─────┘
 *
 * AWS spells `message` small for some errors and large for others, and gives no `Type` to those that its front end raises; so do we, by the one table below
 * (recorded answers of AWS Lambda).
 */
import { awsError, PenstockError } from "@penstock/core";
import type { AwsAnswer } from "./aws-answer.ts";
import { AwsRefusal, type RefusalDetail } from "./aws-refusal.ts";

interface ErrorForm {
  readonly status: number;
  readonly messageMember: "message" | "Message";
  /** Whose fault it is; null = the member is absent. */
  readonly fault: "User" | "Service" | null;
}

const FORMS: Readonly<Record<string, ErrorForm>> = {
  InvalidParameterValueException: { status: 400, messageMember: "message", fault: "User" },
  ResourceConflictException: { status: 409, messageMember: "message", fault: "User" },
  ResourceNotFoundException: { status: 404, messageMember: "Message", fault: "User" },
  ResourceInUseException: { status: 400, messageMember: "Message", fault: "User" },
  TooManyRequestsException: { status: 429, messageMember: "message", fault: "User" },
  ServiceException: { status: 500, messageMember: "Message", fault: "Service" },
  RequestEntityTooLargeException: { status: 413, messageMember: "message", fault: "User" },
  ValidationException: { status: 400, messageMember: "message", fault: null },
  SerializationException: { status: 400, messageMember: "message", fault: null },
  UnknownOperationException: { status: 404, messageMember: "message", fault: null },
  AccessDeniedException: { status: 403, messageMember: "Message", fault: null },
  UnrecognizedClientException: { status: 403, messageMember: "message", fault: null },
  MissingAuthenticationTokenException: { status: 403, messageMember: "message", fault: null },
  IncompleteSignatureException: { status: 403, messageMember: "message", fault: null },
  InvalidSignatureException: { status: 403, messageMember: "message", fault: null },
};
const SERVICE_EXCEPTION = "ServiceException";

/** AWS's words for what went wrong on its side. */
const INTERNAL_MESSAGE = "An error occurred and the request cannot be processed.";
const MAPPING_MISSING = "The resource you requested does not exist.";
const FUNCTION_MISSING = "Function does not exist";

/** @param missing what a `notFound` says; default: AWS's words for an unknown mapping */
export function errorAnswer(error: unknown, missing = MAPPING_MISSING): AwsAnswer {
  if (error instanceof AwsRefusal) return answer(error.type, error.message, error.detail);
  if (error instanceof PenstockError) return penstockAnswer(error, missing);
  return answer(SERVICE_EXCEPTION, INTERNAL_MESSAGE);
}

/** Whether it must be told to the log: nobody but us can do something about it. */
export function isBug(error: unknown): boolean {
  if (error instanceof AwsRefusal) return false;
  return !(error instanceof PenstockError) || error.code === "internal";
}

function penstockAnswer(error: PenstockError, missing: string): AwsAnswer {
  switch (error.code) {
    case "invalidArgument": {
      const { type, message } = awsError(error);
      return answer(type, message);
    }
    case "notFound":
      return answer(error.row.aws, missing);
    case "functionMissing":
      return answer(error.row.aws, FUNCTION_MISSING);
    case "internal":
      return answer(error.row.aws, INTERNAL_MESSAGE);
    case "limitExceeded":
      return answer(error.row.aws, error.message, tooManyRequests(1));
    default:
      return answer(error.row.aws, error.message);
  }
}

/** What a TooManyRequestsException carries beside its text; `Retry-After` is in whole seconds (RFC 9110 §10.2.3). */
export function tooManyRequests(retryAfterSeconds: number): RefusalDetail {
  return {
    headers: { "retry-after": String(retryAfterSeconds) },
    members: { Reason: "CallerRateLimitExceeded" },
  };
}

function answer(type: string, message: string, detail: RefusalDetail = {}): AwsAnswer {
  const isKnown = Object.hasOwn(FORMS, type);
  const name = isKnown ? type : SERVICE_EXCEPTION;
  const form = FORMS[name] as ErrorForm;
  return {
    status: detail.status ?? form.status,
    headers: { "x-amzn-ErrorType": name, ...detail.headers },
    body: {
      ...(form.fault !== null && { Type: form.fault }),
      [form.messageMember]: message,
      ...detail.members,
    },
  };
}
