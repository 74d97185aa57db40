import { invariant } from "../errors/penstock-error.ts";
import type { RecordBatch } from "../records/record-batch.ts";
import { compileFilter } from "./compile-filter.ts";
import { findMismatch } from "./find-mismatch.ts";
import { distributeAlternatives } from "./pattern/distribute-alternatives.ts";
import { type Condition, compileRoot } from "./pattern/pattern-condition.ts";
import { emptyNode, type PatternNode, parsePattern } from "./pattern/pattern-tree.ts";
import { type Decoded, RecordFields } from "./record-fields.ts";

/** What one pattern says of a record. */
export interface FilterExplanation {
  readonly matches: boolean;
  /** Why: the first part of the pattern that does not hold, or what of a matching one was not applied. */
  readonly reason: string;
}

/** Says of a record, for each pattern, whether it matches and why. For people: a record costs many times what `RecordFilter` takes. */
export interface FilterExplainer {
  explain(
    batch: RecordBatch,
    row: number,
    topic: string,
    partition: number,
  ): readonly FilterExplanation[];
}

/**
 * The verdicts are those of {@link compileFilter}; the reasons are looked for afterwards, part by part.
 *
 * @throws PenstockError `invalidArgument` as `compileFilter` does.
 */
export function explainFilter(patterns: readonly string[]): FilterExplainer {
  compileFilter(patterns);
  const explainers = patterns.map(explainPattern);
  const fields = new RecordFields();
  return {
    explain(batch, row, topic, partition) {
      fields.open(batch, row, topic, partition);
      const explanations = explainers.map((explain) => explain(fields));
      fields.close();
      return explanations;
    },
  };
}

function explainPattern(pattern: string): (record: RecordFields) => FilterExplanation {
  const root = parsePattern(pattern);
  const holds = compile(root);
  return (record) => {
    const matches = holds(record);
    return { matches, reason: matches ? praise(root, record) : blame(root, record) };
  };
}

function compile(node: PatternNode): Condition {
  return compileRoot(distributeAlternatives(node));
}

/** What of a matching pattern was not applied, by the form of the record. */
function praise(root: PatternNode, record: RecordFields): string {
  const skipped = [...root.fields].flatMap(([name, node]) => {
    if (name !== "value" && name !== "key") return [];
    const content = record[name];
    const asksForFields = node.fields.size > 0 || node.alternatives.length > 0;
    if (asksForFields && content.kind !== "json")
      return `the fields of ${name} were not looked at: it is ${FORMS[content.kind]}`;
    const asksForText = node.rules.some((rule) => !rule.isAboutPresence);
    if (asksForText && (content.kind === "json" || content.kind === "notUtf8"))
      return `the list under ${name} was not applied: it is ${FORMS[content.kind]}`;
    return [];
  });
  return ["matches", ...skipped].join("; ");
}

const FORMS: Readonly<Record<Decoded["kind"], string>> = {
  absent: "null",
  text: "text, not a JSON object or list",
  json: "JSON",
  notUtf8: "not UTF-8",
};

function blame(root: PatternNode, record: RecordFields): string {
  for (const [name, node] of root.fields) {
    if (compile({ ...emptyNode(), fields: new Map([[name, node]]) })(record)) continue;
    return findMismatch(node, contentOf(name, record), name);
  }
  for (const alternatives of root.alternatives) {
    if (compile({ ...emptyNode(), alternatives: [alternatives] })(record)) continue;
    const [first] = alternatives;
    invariant(first !== undefined, "$or lists at least two objects");
    return `$or: none of the ${alternatives.length} alternatives holds; of the first: ${blame(first, record)}`;
  }
  return "each part holds by itself, but not all of them in the same element of a list";
}

/** What the rules of a top-level field look at; undefined = not there. */
function contentOf(name: string, record: RecordFields): unknown {
  if (name === "value" || name === "key") {
    const content = record[name];
    if (content.kind === "json") return content.json;
    if (content.kind === "text") return content.text;
    return undefined;
  }
  if (name === "timestamp") return record.timestampMs;
  return record[name as "headers" | "topic" | "partition" | "offset"];
}
