import { PenstockError } from "../../errors/penstock-error.ts";
import { FILTER_PATTERN_LENGTH_MAX, FILTERS_MAX } from "../../filter/compile-filter.ts";
import { awsConstraint, LENGTH_AT_MOST } from "../constraints/constraints.ts";
import { cut, type Violations } from "../constraints/violations.ts";
import type { PatternCheck } from "../requests/mapping-input.ts";

/** AWS's words for a pattern that EventBridge would refuse, of whatever kind. */
export const INVALID_FILTER_PATTERN = "Invalid filter pattern definition.";

const DETAIL_LENGTH_MAX = 256;

/** The patterns of FilterCriteria; undefined after a violation. */
export function readFilterPatterns(
  patterns: readonly (string | null)[],
  violations: Violations,
  check: PatternCheck,
): readonly string[] | undefined {
  const list = "filter_criteria.filters";
  if (patterns.length > FILTERS_MAX) {
    violations.add(
      list,
      `${list} must have at most ${FILTERS_MAX} entries, not ${patterns.length}.`,
      `The number of filters exceeds the limit of ${FILTERS_MAX}.`,
    );
    return undefined;
  }
  const read: string[] = [];
  for (const [index, pattern] of patterns.entries()) {
    const field = `${list}[${index}].pattern`;
    if (pattern !== null && pattern.length > FILTER_PATTERN_LENGTH_MAX) {
      violations.add(
        field,
        `${field} must have at most ${FILTER_PATTERN_LENGTH_MAX} characters.`,
        awsConstraint(
          `filterCriteria.filters.${index + 1}.member.pattern`,
          pattern,
          `${LENGTH_AT_MOST} ${FILTER_PATTERN_LENGTH_MAX}`,
        ),
      );
      continue;
    }
    const problem = pattern === null ? "it is missing" : patternProblem(pattern, check);
    if (pattern !== null && problem === null) read.push(pattern);
    else violations.add(field, describe(field, problem), INVALID_FILTER_PATTERN);
  }
  return read.length === patterns.length ? read : undefined;
}

function describe(field: string, problem: string | null): string {
  const detail = cut(problem ?? "", DETAIL_LENGTH_MAX).toWellFormed();
  return `${field}: ${INVALID_FILTER_PATTERN} (${detail})`;
}

function patternProblem(pattern: string, check: PatternCheck): string | null {
  // What is stored must be what was sent, and no database keeps half a character.
  if (!pattern.isWellFormed()) return "it has half of a surrogate pair";
  try {
    check([pattern]);
    return null;
  } catch (error) {
    if (!(error instanceof PenstockError)) throw error;
    return error.violations[0]?.description ?? error.message;
  }
}
