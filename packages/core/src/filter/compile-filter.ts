import { type FieldViolation, invariant, PenstockError } from "../errors/penstock-error.ts";
import type { RecordBatch } from "../records/record-batch.ts";
import { distributeAlternatives } from "./distribute-alternatives.ts";
import { type LeafRule, PatternProblem } from "./leaf-rule.ts";
import { compileTree, matchesJson } from "./match-tree.ts";
import { type PatternNode, parsePattern } from "./pattern-tree.ts";
import { type Decoded, RecordFields } from "./record-fields.ts";

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

type Condition = (record: RecordFields) => boolean;

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

function compileRoot(root: PatternNode): Condition {
  const conditions = [...root.fields].map(([name, node]) => compileField(name, node));
  for (const alternatives of root.alternatives) {
    const branches = alternatives.map(compileRoot);
    conditions.push((record) => branches.some((branch) => branch(record)));
  }
  return (record) => conditions.every((condition) => condition(record));
}

function compileField(name: string, node: PatternNode): Condition {
  switch (name) {
    case "value":
      return compileContent(node, (record) => record.value);
    case "key":
      return compileContent(node, (record) => record.key);
    case "headers": {
      if (node.rules.length > 0) throw new PatternProblem("headers: must be an object of names");
      const matcher = compileTree(node);
      return (record) => matchesJson(matcher, record.headers);
    }
    case "topic":
      return compileScalar(name, node, (record) => record.topic);
    case "partition":
      return compileScalar(name, node, (record) => record.partition);
    case "offset":
      return compileScalar(name, node, (record) => record.offset);
    case "timestamp":
      return compileScalar(name, node, (record) => record.timestampMs);
    default:
      throw new PatternProblem(
        `${JSON.stringify(name)}: a pattern knows value, key, headers, topic, partition, offset and timestamp`,
      );
  }
}

function compileScalar(
  name: string,
  node: PatternNode,
  read: (record: RecordFields) => string | number,
): Condition {
  const { rules } = node;
  if (rules.length === 0 || node.fields.size > 0 || node.alternatives.length > 0) {
    throw new PatternProblem(`${name}: must be a list`);
  }
  return (record) => rules.every((rule) => rule.matches(read(record)));
}

/** A key or a value: the list and the object of its pattern apply to different forms of it. */
function compileContent(node: PatternNode, read: (record: RecordFields) => Decoded): Condition {
  const conditions: Condition[] = [];
  for (const rule of node.rules) conditions.push((record) => satisfiesRule(rule, read(record)));
  if (node.fields.size > 0 || node.alternatives.length > 0) {
    const matcher = compileTree({ ...node, rules: [] });
    conditions.push((record) => {
      const content = read(record);
      return content.kind !== "json" || matchesJson(matcher, content.json);
    });
  }
  return (record) => conditions.every((condition) => condition(record));
}

function satisfiesRule(rule: LeafRule, content: Decoded): boolean {
  switch (content.kind) {
    case "text":
      return rule.matches(content.text);
    case "absent":
      return rule.allowsAbsent || rule.matchesNull;
    default:
      return !rule.isAboutPresence || rule.matchesPresent;
  }
}
