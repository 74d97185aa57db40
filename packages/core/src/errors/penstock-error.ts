import { ERROR_TABLE, type ErrorCode, type ErrorRow } from "./error-table.ts";

/** One field of a request and what is wrong with it. */
export interface FieldViolation {
  /** Path in the request, snake_case, such as `filter_criteria.filters[0].pattern`. */
  readonly field: string;
  /** What to change. */
  readonly description: string;
}

/**
 * A failed operation. `message` is safe to show to a caller and says what to change; `cause` is private and goes to the log only.
 */
export class PenstockError extends Error {
  override readonly name = "PenstockError";
  readonly code: ErrorCode;
  readonly violations: readonly FieldViolation[];

  constructor(
    code: ErrorCode,
    message: string,
    options: { cause?: unknown; violations?: readonly FieldViolation[] } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.violations = options.violations ?? [];
  }

  get row(): ErrorRow {
    return ERROR_TABLE[this.code];
  }
}

/** A bug: something that can't be true is. Nobody catches it; the process ends and another adopts its work. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws {@link InvariantError} unless the claim holds. Kept on in production. */
export function invariant(claim: unknown, message: string): asserts claim {
  if (!claim) throw new InvariantError(message);
}
