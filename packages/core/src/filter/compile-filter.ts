import { type FieldViolation, invariant, PenstockError } from "../errors/penstock-error.ts";
import type { RecordBatch } from "../records/record-batch.ts";
import { distributeAlternatives } from "./pattern/distribute-alternatives.ts";
import { PatternProblem } from "./pattern/leaf-rule.ts";
import { type Condition, compileRoot } from "./pattern/pattern-condition.ts";
import { parsePattern } from "./pattern/pattern-tree.ts";
import { RecordFields } from "./record-fields.ts";

/** Patterns of one mapping. */
export const FILTERS_MAX = 5;
/** Characters of one pattern. */
export const FILTER_PATTERN_LENGTH_MAX = 4096;

/** Decides which records go to the function. Total and deterministic for any bytes (I-12). */
export interface RecordFilter {
  /** Whether one of the patterns holds. Without patterns every record matches. */
  matches(batch: RecordBatch, row: number, topic: string, partition: number): boolean;
}

/**
 * Compiles the patterns of a mapping; a record matches when one of them holds. Throws `invalidArgument`, with a violation for
 * each pattern that is not valid.
 *
 * A pattern is an object over `value`, `key`, `headers`, `topic`, `partition`, `offset` and `timestamp`, all of which have to hold.
 * (AWS knows `value` alone.)
 *
 * - `value`, `key`: a list is compared with the text, an object with the fields of the JSON object or list. Where record and
 *   pattern are not of one form (JSON against a list, anything else against an object, bytes that are not UTF-8), that part of
 *   the pattern is **not applied**: it drops no record. A list of nothing but `null` and `exists` applies to every form, and
 *   every list to a null one, which only `null` and `{"exists": false}` match; an object is not applied to a null one.
 * - `headers`: an object over header names; a name that repeats has several values.
 * - `topic`, `partition`, `offset`, `timestamp` (ms since the epoch): a list.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/kafka-filtering.html
 */
export function compileFilter(patterns: readonly string[]): RecordFilter {
  invariant(patterns.length <= FILTERS_MAX, "validation admits at most FILTERS_MAX patterns");
  const violations: FieldViolation[] = [];
  const conditions = patterns.map((pattern, index) => compilePattern(pattern, index, violations));
  if (violations.length > 0) {
    throw new PenstockError("invalidArgument", "Invalid filter pattern definition.", {
      violations,
    });
  }
  const fields = new RecordFields();
  return {
    matches(batch, row, topic, partition) {
      if (conditions.length === 0) return true;
      fields.open(batch, row, topic, partition);
      const matches = conditions.some((condition) => condition(fields));
      fields.close();
      return matches;
    },
  };
}

function compilePattern(pattern: string, index: number, violations: FieldViolation[]): Condition {
  try {
    if (pattern.length > FILTER_PATTERN_LENGTH_MAX) {
      throw new PatternProblem(`the pattern has more than ${FILTER_PATTERN_LENGTH_MAX} characters`);
    }
    return compileRoot(distributeAlternatives(parsePattern(pattern)));
  } catch (error) {
    if (!(error instanceof PatternProblem)) throw error;
    const field = `filter_criteria.filters[${index}].pattern`;
    violations.push({ field, description: error.message });
    return () => false;
  }
}
