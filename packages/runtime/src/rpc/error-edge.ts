/**
 * The one place where errors leave a service by RPC.
 *
 * A `PenstockError` becomes its row of the error table, with the code as `google.rpc.ErrorInfo.reason` and its violations as
 * `google.rpc.BadRequest`. What the RPC library itself finds wrong with a call (bad JSON, a message over the limit, a deadline) keeps its
 * code. Anything else is a bug: the caller sees INTERNAL "internal error", the log sees the rest.
 */

import { Code, ConnectError } from "@connectrpc/connect";
import { ERROR_TABLE, type ErrorCode, PenstockError, type RpcCode } from "@penstock/core";
import { BadRequestSchema, ErrorInfoSchema } from "./generated/google/rpc/error_details_pb.ts";

export const ERROR_DOMAIN = "penstock";
const INTERNAL_MESSAGE = "internal error";

const CONNECT_CODES: Readonly<Record<RpcCode, Code>> = {
  INVALID_ARGUMENT: Code.InvalidArgument,
  NOT_FOUND: Code.NotFound,
  ALREADY_EXISTS: Code.AlreadyExists,
  FAILED_PRECONDITION: Code.FailedPrecondition,
  ABORTED: Code.Aborted,
  RESOURCE_EXHAUSTED: Code.ResourceExhausted,
  UNAVAILABLE: Code.Unavailable,
  DEADLINE_EXCEEDED: Code.DeadlineExceeded,
  PERMISSION_DENIED: Code.PermissionDenied,
  UNAUTHENTICATED: Code.Unauthenticated,
  UNIMPLEMENTED: Code.Unimplemented,
  CANCELLED: Code.Canceled,
  INTERNAL: Code.Internal,
};

/** Status codes by which a peer that gives no `ErrorInfo` is understood. */
const PENSTOCK_CODES: ReadonlyMap<Code, ErrorCode> = new Map([
  [Code.InvalidArgument, "invalidArgument"],
  [Code.OutOfRange, "invalidArgument"],
  [Code.NotFound, "notFound"],
  [Code.AlreadyExists, "conflict"],
  [Code.FailedPrecondition, "inUse"],
  // Without a reason it is no peer's answer: connect-node calls a write to a broken connection so.
  [Code.Aborted, "unavailable"],
  [Code.ResourceExhausted, "limitExceeded"],
  [Code.Unavailable, "unavailable"],
  [Code.DeadlineExceeded, "deadlineExceeded"],
  [Code.PermissionDenied, "permissionDenied"],
  [Code.Unauthenticated, "unauthenticated"],
  [Code.Unimplemented, "unimplemented"],
  [Code.Canceled, "cancelled"],
]);

/** What the caller sees, and whether the error is a bug whose detail belongs in the log. */
export interface OutgoingError {
  readonly error: ConnectError;
  readonly isBug: boolean;
}

export function toConnectError(error: unknown): OutgoingError {
  if (error instanceof PenstockError) {
    return { error: fromPenstockError(error), isBug: error.code === "internal" };
  }
  if (
    error instanceof ConnectError &&
    error.code !== Code.Internal &&
    error.code !== Code.Unknown
  ) {
    return { error, isBug: false };
  }
  return { error: new ConnectError(INTERNAL_MESSAGE, Code.Internal), isBug: true };
}

/**
 * The error behind a failed call of a Penstock peer; a `PenstockError` comes back as it is. The message is the peer's, which is safe
 * to show.
 */
export function toPenstockError(error: unknown): PenstockError {
  if (error instanceof PenstockError) return error;
  if (!(error instanceof ConnectError)) {
    return new PenstockError("internal", INTERNAL_MESSAGE, { cause: error });
  }
  const reason = error
    .findDetails(ErrorInfoSchema)
    .find(({ domain }) => domain === ERROR_DOMAIN)?.reason;
  const violations = error
    .findDetails(BadRequestSchema)
    .flatMap(({ fieldViolations }) => fieldViolations)
    .map(({ field, description }) => ({ field, description }));
  const code = isErrorCode(reason) ? reason : (PENSTOCK_CODES.get(error.code) ?? "internal");
  return new PenstockError(code, error.rawMessage, { cause: error, violations });
}

function fromPenstockError(error: PenstockError): ConnectError {
  // What a caller sent may be in it: half a character could not be encoded on the way out.
  const message = error.code === "internal" ? INTERNAL_MESSAGE : error.message.toWellFormed();
  const info = {
    desc: ErrorInfoSchema,
    value: { reason: error.code, domain: ERROR_DOMAIN },
  };
  const badRequest = {
    desc: BadRequestSchema,
    value: { fieldViolations: error.violations.map((violation) => ({ ...violation })) },
  };
  return new ConnectError(
    message,
    CONNECT_CODES[error.row.rpc],
    undefined,
    error.violations.length === 0 ? [info] : [info, badRequest],
  );
}

function isErrorCode(reason: string | undefined): reason is ErrorCode {
  return reason !== undefined && Object.hasOwn(ERROR_TABLE, reason);
}
