import { isDeeperThan } from "../json-guard.ts";
import { type LeafRule, leafRule, PatternProblem } from "./leaf-rule.ts";

/** Levels of a pattern, each name of a dotted path counted; of its JSON text likewise. */
export const PATTERN_DEPTH_MAX = 64;

/**
 * A pattern as a tree of field names.
 *
 * `{"a.b": […]}` and `{"a": {"b": […]}}` are the same tree. All of a node has to hold: its rules, its fields and each of its
 * `$or` lists, of which one alternative has to hold.
 */
export interface PatternNode {
  readonly rules: LeafRule[];
  readonly fields: Map<string, PatternNode>;
  readonly alternatives: PatternNode[][];
}

/** Reads a pattern's text. Throws {@link PatternProblem}. */
export function parsePattern(text: string): PatternNode {
  if (isDeeperThan(Buffer.from(text, "utf8"), PATTERN_DEPTH_MAX)) throw tooDeep();
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch {
    // The parser's message would quote the pattern; that it is not JSON is all there is to say.
    throw new PatternProblem("the pattern is not JSON");
  }
  const node = emptyNode();
  addObject(node, json, "pattern", 0);
  return node;
}

function addObject(node: PatternNode, json: unknown, path: string, depth: number): void {
  if (typeof json !== "object" || json === null || Array.isArray(json)) {
    throw new PatternProblem(`${path}: must be an object`);
  }
  const entries = Object.entries(json);
  if (entries.length === 0) throw new PatternProblem(`${path}: the object is empty`);
  for (const [name, content] of entries) {
    if (name === "$or") addAlternatives(node, content, `${path}.$or`, depth);
    else addField(node, name, content, `${path}.${name}`, depth);
  }
}

function addField(
  node: PatternNode,
  name: string,
  content: unknown,
  path: string,
  depth: number,
): void {
  const names = name.split(".");
  if (depth + names.length > PATTERN_DEPTH_MAX) throw tooDeep();
  let field = node;
  for (const part of names) {
    const next = field.fields.get(part) ?? emptyNode();
    field.fields.set(part, next);
    field = next;
  }
  if (Array.isArray(content)) {
    if (field.rules.length > 0) throw new PatternProblem(`${path}: the field is there twice`);
    field.rules.push(leafRule(content, path));
  } else if (typeof content === "object" && content !== null) {
    addObject(field, content, path, depth + names.length);
  } else {
    throw new PatternProblem(`${path}: must be a list, such as [${JSON.stringify(content)}]`);
  }
}

function addAlternatives(node: PatternNode, content: unknown, path: string, depth: number): void {
  if (!Array.isArray(content) || content.length < 2) {
    throw new PatternProblem(`${path}: takes a list of at least two objects`);
  }
  const alternatives = content.map((item: unknown, index) => {
    const alternative = emptyNode();
    addObject(alternative, item, `${path}[${index}]`, depth + 1);
    return alternative;
  });
  node.alternatives.push(alternatives);
}

export function emptyNode(): PatternNode {
  return { rules: [], fields: new Map(), alternatives: [] };
}

function tooDeep(): PatternProblem {
  return new PatternProblem(`the pattern has more than ${PATTERN_DEPTH_MAX} levels`);
}
