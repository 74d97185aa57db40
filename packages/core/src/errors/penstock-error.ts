import { ERROR_TABLE, type ErrorCode, type ErrorRow } from "./error-table.ts";

/** One field of a request and what is wrong with it. */
export interface FieldViolation {
  /** Path in the request, snake_case, such as `filter_criteria.filters[0].pattern`. */
  readonly field: string;
  /** What to change. */
  readonly description: string;
  /** What AWS says of the same; absent = the description. */
  readonly aws?: AwsViolation;
}

/**
 * AWS distinguishes two refusals. `constraint`: a pattern, range, length or enum of the API model, checked before anything else and collected into one
 * ValidationException; `parameter`: a rule of the service, of which the first is answered as an InvalidParameterValueException.
 */
export type AwsViolation =
  | {
      readonly kind: "constraint";
      /** Member in AWS's spelling of its messages, such as `batchSize` or `sourceAccessConfigurations.1.member.type`. */
      readonly member: string;
      /** The value as AWS prints it, without the quotes around it; null = the member was not sent, which AWS prints as `null`. */
      readonly value: string | null;
      /** Such as `Member must have value less than or equal to 10000`. */
      readonly constraint: string;
    }
  | { readonly kind: "parameter"; readonly message: string };

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

/** A request of which one field is wrong. `description` names the field and says what to send instead. */
export function invalidField(field: string, description: string): PenstockError {
  return new PenstockError("invalidArgument", description, {
    violations: [{ field, description }],
  });
}

/** A bug: something that can't be true is. Nobody catches it; the process ends and another adopts its work. */
export class InvariantError extends Error {
  override readonly name = "InvariantError";
}

/** Throws {@link InvariantError} unless the claim holds. Kept on in production. */
export function invariant(claim: unknown, message: string): asserts claim {
  if (!claim) throw new InvariantError(message);
}
