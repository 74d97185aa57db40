import { compileTree, matchesJson } from "../match-tree.ts";
import type { Decoded, RecordFields } from "../record-fields.ts";
import { type LeafRule, PatternProblem } from "./leaf-rule.ts";
import type { PatternNode } from "./pattern-tree.ts";

/** A pattern, or a part of one, as a question to a record. */
export type Condition = (record: RecordFields) => boolean;

/** A whole pattern, or a part of one. Throws {@link PatternProblem}. */
export function compileRoot(root: PatternNode): Condition {
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
