import { type ErrorCode, PenstockError } from "@penstock/core";
import postgres from "postgres";

/**
 * Postgres's failures in Penstock's words (SQLSTATE: https://www.postgresql.org/docs/current/errcodes-appendix.html).
 *
 * - no connection, no answer in time, shutting down, read-only, out of a resource → `unavailable`
 * - serialization failure, deadlock, a lock that was not free in time → `aborted`
 * - unique violation → `conflict`, with {@link constraintOf} telling which
 * - anything else, and what never reached the server because a value can't be sent, is a defect of ours → `internal`
 *
 * The messages are safe to show; what Postgres said is the private cause.
 */
export function toDatabaseError(error: unknown): PenstockError {
  if (error instanceof PenstockError) return error;
  if (isDefect(error)) return new PenstockError("internal", "internal error", { cause: error });
  if (!(error instanceof postgres.PostgresError)) return unavailable(error);
  const code = codeOf(error.code);
  return new PenstockError(code, MESSAGES[code] ?? "internal error", { cause: error });
}

/** Codes of postgres.js for statements that it can't send. */
const DEFECTS = ["UNDEFINED_VALUE", "MAX_PARAMETERS_EXCEEDED", "NOT_TAGGED_CALL"];

function isDefect(error: unknown): boolean {
  if (error instanceof TypeError || error instanceof RangeError) return true;
  return DEFECTS.includes((error as { code?: unknown } | null)?.code as string);
}

/** The database can't be asked now. */
export function unavailable(cause: unknown): PenstockError {
  return new PenstockError("unavailable", UNAVAILABLE, { cause });
}

/** Whether the server itself said so. */
export function isAnswer(error: unknown): boolean {
  return error instanceof postgres.PostgresError;
}

/** The constraint that a `conflict` broke, null for other errors. */
export function constraintOf(error: unknown): string | null {
  if (!(error instanceof PenstockError)) return null;
  const cause = error.cause;
  return cause instanceof postgres.PostgresError ? (cause.constraint_name ?? null) : null;
}

/** Whether the whole transaction may be tried again at once: it was rolled back for another's sake. */
export function isRetryable(error: PenstockError): boolean {
  const cause = error.cause;
  return cause instanceof postgres.PostgresError && ["40001", "40P01"].includes(cause.code);
}

/** The server answered, or was not asked at all: a statement over its time, no free connection. */
export class BusyError extends Error {}

/** Whether a failure says that the way to the server is broken, so that its connections are of no use. */
export function isConnectionLost(error: unknown): boolean {
  if (!(error instanceof PenstockError) || error.code !== "unavailable") return false;
  if (error.cause instanceof BusyError) return false;
  return !(error.cause instanceof postgres.PostgresError) || error.cause.code !== "57014";
}

const UNAVAILABLE = "the database can't be reached or does not answer in time: try again";
const MESSAGES: Partial<Record<ErrorCode, string>> = {
  unavailable: UNAVAILABLE,
  aborted: "changed by another caller at the same time: read and try again",
  conflict: "it exists already",
};

/** SQLSTATE classes and codes that mean "not now". */
const UNAVAILABLE_CLASSES = ["08", "53", "57", "58"];
const UNAVAILABLE_CODES = ["25006", "28000", "28P01", "3D000", "25P03", "25P04"];
const ABORTED_CODES = ["40001", "40P01", "55P03", "40003"];

function codeOf(sqlState: string): ErrorCode {
  if (ABORTED_CODES.includes(sqlState)) return "aborted";
  if (sqlState === "23505") return "conflict";
  if (UNAVAILABLE_CODES.includes(sqlState)) return "unavailable";
  if (UNAVAILABLE_CLASSES.includes(sqlState.slice(0, 2))) return "unavailable";
  return "internal";
}
