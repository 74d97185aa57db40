import { show, Violations } from "../mapping/constraints/violations.ts";
import {
  FUNCTION_HEADER_NAME_LENGTH_MAX,
  FUNCTION_HEADER_VALUE_LENGTH_MAX,
  FUNCTION_HEADERS_MAX,
} from "../mapping/mapping-limits.ts";

/** How a stored header value is shown, and what a caller sends to keep it. */
export const HIDDEN_VALUE = "***";

/** RFC 9110 §5.6.2. */
const TOKEN = /^[!#$%&'*+\-.^_`|~0-9a-zA-Z]+$/;
/** RFC 9110 §5.5 without obs-text: visible ASCII, blanks and tabs; never CR, LF or NUL. */
const VALUE = /^[\t\x20-\x7e]*$/;

/** Headers of the message and the connection (RFC 9110, 9112, 9113): HTTP's own. */
const HTTP_OWN = new Set([
  "connection",
  "content-encoding",
  "content-length",
  "content-type",
  "expect",
  "host",
  "keep-alive",
  "proxy-authenticate",
  "proxy-authorization",
  "proxy-connection",
  "te",
  "trailer",
  "transfer-encoding",
  "upgrade",
]);
/** Set by Penstock with each call. */
const PENSTOCK_OWN = new Set(["traceparent", "tracestate"]);
const PENSTOCK_PREFIX = "penstock-";

/** Checks the headers of an HTTP function. Values are never repeated in messages. */
export function checkHeaders(
  violations: Violations,
  headers: Readonly<Record<string, string>>,
): void {
  const field = "function.http.headers";
  const entries = Object.entries(headers);
  if (entries.length > FUNCTION_HEADERS_MAX) {
    violations.add(
      field,
      `${field} must have at most ${FUNCTION_HEADERS_MAX} entries, not ${entries.length}.`,
    );
    return;
  }
  const seen = new Set<string>();
  for (const [name, value] of entries) {
    const problem = nameProblem(name, seen) ?? valueProblem(value);
    if (problem !== null) violations.add(field, `${field}: ${show(name)} ${problem}`);
    seen.add(name.toLowerCase());
  }
}

function nameProblem(name: string, seen: ReadonlySet<string>): string | null {
  const lower = name.toLowerCase();
  if (name.length > FUNCTION_HEADER_NAME_LENGTH_MAX || !TOKEN.test(name)) {
    return `is not a header name: 1 to ${FUNCTION_HEADER_NAME_LENGTH_MAX} characters of a token (RFC 9110).`;
  }
  if (HTTP_OWN.has(lower)) return "is set by HTTP itself.";
  if (PENSTOCK_OWN.has(lower) || lower.startsWith(PENSTOCK_PREFIX)) {
    return "is set by Penstock.";
  }
  return seen.has(lower) ? "is there twice: case does not tell header names apart." : null;
}

function valueProblem(value: string): string | null {
  if (value.length > FUNCTION_HEADER_VALUE_LENGTH_MAX) {
    return `has a value of more than ${FUNCTION_HEADER_VALUE_LENGTH_MAX} characters.`;
  }
  return VALUE.test(value)
    ? null
    : "has a value with characters other than visible ASCII, blanks and tabs.";
}

/**
 * The headers to store: sent ones, with each {@link HIDDEN_VALUE} replaced by the value that is stored under the same name.
 *
 * @throws PenstockError `invalidArgument` when there is none.
 */
export function keepHiddenValues(
  sent: Readonly<Record<string, string>>,
  stored: Readonly<Record<string, string>>,
): Record<string, string> {
  const known = new Map(Object.entries(stored).map(([name, value]) => [name.toLowerCase(), value]));
  const violations = new Violations();
  const kept = Object.entries(sent).map(([name, value]): [string, string] => {
    if (value !== HIDDEN_VALUE) return [name, value];
    const before = known.get(name.toLowerCase());
    if (before === undefined) {
      violations.add(
        "function.http.headers",
        `function.http.headers: ${show(name)} has no stored value to keep: send its value.`,
      );
    }
    return [name, before ?? ""];
  });
  violations.throwIfAny();
  return Object.fromEntries(kept);
}
