import type { Violations } from "../mapping/constraints/violations.ts";
import { FUNCTION_ADDRESS_LENGTH_MAX, FUNCTION_URL_LENGTH_MAX } from "../mapping/mapping-limits.ts";
import { isBootstrapServer } from "../mapping/settings/kafka-names.ts";

/**
 * An absolute http or https URL without user info and fragment. Which addresses it may lead to is the address guard's business, at the time of
 * the call. The value is not repeated in messages: a query may hold a secret.
 */
export function checkFunctionUrl(violations: Violations, text: string): void {
  const field = "function.http.url";
  if (text.length > FUNCTION_URL_LENGTH_MAX) {
    violations.add(field, `${field} must have at most ${FUNCTION_URL_LENGTH_MAX} characters.`);
    return;
  }
  // URL drops blanks at the ends, and tabs and newlines anywhere: what is stored must be what is called.
  const url = /[\s\p{Cc}]/u.test(text) ? null : URL.parse(text);
  if (url === null || !/^https?:\/\//i.test(text)) {
    violations.add(field, `${field} must begin with http:// or https:// and name a host.`);
    return;
  }
  if (url.username !== "" || url.password !== "" || /^[^/]*\/\/[^/?#]*@/.test(text)) {
    violations.add(field, `${field} must not contain user info: send a header instead.`);
  }
  if (text.includes("#")) violations.add(field, `${field} must not have a fragment.`);
}

/** host:port and nothing else: gRPC's name resolvers (`dns:///`, `unix:`, …) are not for callers to choose. */
export function checkFunctionAddress(violations: Violations, text: string): void {
  const field = "function.grpc.address";
  if (text.length > FUNCTION_ADDRESS_LENGTH_MAX || !(isBootstrapServer(text) || isIpv6(text))) {
    violations.add(field, `${field} must be host:port, such as functions.internal:50051.`);
  }
}

function isIpv6(text: string): boolean {
  const match = /^(\[[0-9a-fA-F:.]{2,45}\]):(\d{1,5})$/.exec(text);
  const port = Number(match?.[2]);
  return match !== null && port >= 1 && port <= 65_535 && URL.canParse(`http://${match[1]}/`);
}
