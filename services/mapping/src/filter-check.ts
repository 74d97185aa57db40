import { INVALID_FILTER_PATTERN, PenstockError } from "@penstock/core";

/** Refuses what is no JSON object. */
export function checkFilterPatterns(patterns: readonly string[]): void {
  for (const pattern of patterns) {
    try {
      const parsed: unknown = JSON.parse(pattern);
      if (typeof parsed === "object" && parsed !== null && !Array.isArray(parsed)) continue;
    } catch {
      // Told below, in the words of the API.
    }
    throw new PenstockError("invalidArgument", INVALID_FILTER_PATTERN);
  }
}
