import { PenstockError } from "../errors/penstock-error.ts";
import { TEXTS } from "./constraints/aws-model.ts";
import { checkText } from "./constraints/constraints.ts";
import { Violations } from "./constraints/violations.ts";
import type { ArnScope } from "./settings/function-reference.ts";

/** The UUID of a mapping as a caller wrote it, in lower case. @throws PenstockError `invalidArgument`. */
export function readMappingUuid(text: string): string {
  const violations = new Violations();
  checkText(violations, { field: "uuid", member: "uUID" }, TEXTS.uuid, text);
  violations.throwIfAny();
  return text.toLowerCase();
}

/** The ARN of a mapping. */
export function mappingArn(scope: ArnScope, uuid: string): string {
  return `${arnPrefix(scope)}${uuid}`;
}

function arnPrefix({ region, accountId }: ArnScope): string {
  return `arn:aws:lambda:${region}:${accountId}:event-source-mapping:`;
}

/**
 * The UUID of the mapping that an ARN names.
 *
 * @throws PenstockError `invalidArgument` when it is no ARN of Lambda's that can have tags; `notFound` when it is one of another installation, or of
 * something else than a mapping, which has no tags here.
 */
export function parseMappingArn(arn: string, scope: ArnScope): string {
  const violations = new Violations();
  checkText(violations, { field: "resource", member: "resource" }, TEXTS.resource, arn);
  violations.throwIfAny();
  const prefix = arnPrefix(scope);
  if (!arn.startsWith(prefix)) throw mappingNotFound(arn);
  return arn.slice(prefix.length).toLowerCase();
}

/** What AWS answers about tags of a resource that is not there. */
function mappingNotFound(arn: string): PenstockError {
  const isFunction = arn.split(":", 6)[5] === "function";
  const kind = isFunction ? "Function" : "Event source mapping";
  return new PenstockError("notFound", `${kind} not found: ${arn}`);
}
