import type { FunctionRef } from "./mapping.ts";
import { FUNCTION_NAME_LENGTH_MAX, FUNCTION_REFERENCE_LENGTH_MAX } from "./mapping-limits.ts";
import { show, Violations } from "./violations.ts";

/** Where ARNs of this installation say that it is. */
export interface ArnScope {
  /** PENSTOCK_REGION. */
  readonly region: string;
  /** PENSTOCK_ACCOUNT_ID. */
  readonly accountId: string;
}

/**
 * AWS's pattern of FunctionName (API model), with groups for the name and the qualifier: a name, a partial ARN
 * (`123456789012:function:f`) or an ARN, each with a version or alias if wanted.
 */
const REFERENCE =
  /^(?:arn:(?:aws[a-zA-Z-]*)?:lambda:)?(?:(?:eusc-)?[a-z]{2}(?:-gov|-iso[a-z]?)?-[a-z]+-\d:)?(?:\d{12}:)?(?:function:)?([a-zA-Z0-9-_.]+)(?::(\$LATEST(?:\.PUBLISHED)?|[a-zA-Z0-9-_]+))?$/;

/**
 * Reads any form of a function's name. Account and region are not looked at: every one of them names the local function.
 * Null after a violation.
 */
export function readFunctionReference(
  violations: Violations,
  field: string,
  text: string,
): FunctionRef | null {
  const match = text.length <= FUNCTION_REFERENCE_LENGTH_MAX ? REFERENCE.exec(text) : null;
  const name = match?.[1];
  if (name === undefined || name.length > FUNCTION_NAME_LENGTH_MAX) {
    violations.add(
      field,
      `${field} must be the name of a function (1 to ${FUNCTION_NAME_LENGTH_MAX} characters of [a-zA-Z0-9-_.]), a partial ARN or an ARN, ` +
        `with :version or :alias if wanted, at most ${FUNCTION_REFERENCE_LENGTH_MAX} characters in all, not ${show(text)}.`,
    );
    return null;
  }
  return { name, qualifier: match?.[2] ?? "" };
}

/** The same for one text alone. @throws PenstockError `invalidArgument`. */
export function parseFunctionReference(field: string, text: string): FunctionRef {
  const violations = new Violations();
  const ref = readFunctionReference(violations, field, text);
  violations.throwIfAny();
  return ref ?? { name: "", qualifier: "" };
}

/** The ARN of a function, qualified as it was asked for. */
export function functionArn(scope: ArnScope, ref: FunctionRef): string {
  const qualifier = ref.qualifier === "" ? "" : `:${ref.qualifier}`;
  return `arn:aws:lambda:${scope.region}:${scope.accountId}:function:${ref.name}${qualifier}`;
}

/** The ARN of a mapping. */
export function mappingArn(scope: ArnScope, uuid: string): string {
  return `arn:aws:lambda:${scope.region}:${scope.accountId}:event-source-mapping:${uuid}`;
}
