import { TEXTS } from "../constraints/aws-model.ts";
import { awsConstraint, checkText, LENGTH_AT_MOST } from "../constraints/constraints.ts";
import { show, Violations } from "../constraints/violations.ts";
import type { FunctionRef } from "../mapping.ts";
import { FUNCTION_NAME_LENGTH_MAX } from "../mapping-limits.ts";

/** Where ARNs of this installation say that it is. */
export interface ArnScope {
  /** PENSTOCK_REGION. */
  readonly region: string;
  /** PENSTOCK_ACCOUNT_ID. */
  readonly accountId: string;
}

/**
 * Reads any form of a function's name: a name, a partial ARN (`123456789012:function:f`) or an ARN, each with a version or alias if wanted. Account and
 * region are not looked at: every one of them names the local function. Null after a violation.
 */
export function readFunctionReference(
  violations: Violations,
  field: string,
  text: string,
): FunctionRef | null {
  const rule = TEXTS.functionName;
  if (!checkText(violations, { field, member: "functionName" }, rule, text)) return null;
  const [, name = "", qualifier = ""] = rule.pattern.exec(text) ?? [];
  if (name.length <= FUNCTION_NAME_LENGTH_MAX) return { name, qualifier };
  violations.add(
    field,
    `${field} ${rule.words}, not ${show(text)}.`,
    awsConstraint("functionName", text, `${LENGTH_AT_MOST} ${FUNCTION_NAME_LENGTH_MAX}`),
  );
  return null;
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
