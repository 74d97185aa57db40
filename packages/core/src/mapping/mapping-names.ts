import { PenstockError } from "../errors/penstock-error.ts";
import type { ArnScope } from "./function-reference.ts";

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;

/** The UUID of a mapping as a caller wrote it, in lower case. @throws PenstockError `invalidArgument`. */
export function readMappingUuid(text: string): string {
  const uuid = text.toLowerCase();
  if (UUID.test(uuid)) return uuid;
  const description = "uuid must be the UUID of a mapping.";
  throw new PenstockError("invalidArgument", description, {
    violations: [{ field: "uuid", description }],
  });
}

/**
 * The UUID of the mapping that an ARN names.
 *
 * @throws PenstockError `invalidArgument` when it is no ARN that can have tags; `notFound` when it is one of another installation or of something else.
 */
export function parseMappingArn(arn: string, scope: ArnScope): string {
  const prefix = `arn:aws:lambda:${scope.region}:${scope.accountId}:event-source-mapping:`;
  if (!arn.startsWith(prefix)) throw new PenstockError("notFound", "No such mapping.");
  return readMappingUuid(arn.slice(prefix.length));
}
