/** The code of a failed connection or exchange, "" without one. A failure of several attempts (Happy Eyeballs) counts as its first. */
export function errorCodeOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  if ("code" in error && typeof error.code === "string") return error.code;
  if (error.name === "HTTPParserError") return "HPE_UNKNOWN";
  return error instanceof AggregateError ? errorCodeOf(error.errors[0]) : "";
}
