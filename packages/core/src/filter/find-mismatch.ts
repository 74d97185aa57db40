import { compileTree, matchesJson } from "./match-tree.ts";
import { emptyNode, type PatternNode } from "./pattern/pattern-tree.ts";

const SHOWN_LENGTH_MAX = 100;
const VALUES_SHOWN_MAX = 3;

/** In words: the first rule below `node` that the content does not satisfy, with its path and what is there instead. */
export function findMismatch(node: PatternNode, content: unknown, path: string): string {
  for (const rule of node.rules) {
    if (!matchesJson(compileTree({ ...emptyNode(), rules: [rule] }), content)) {
      return `${path}: ${describe(content, rule.text)}`;
    }
  }
  for (const [name, field] of node.fields) {
    const alone = { ...emptyNode(), fields: new Map([[name, field]]) };
    if (matchesJson(compileTree(alone), content)) continue;
    return findMismatch(field, flatten(valuesUnder(content, name)), `${path}.${name}`);
  }
  for (const alternatives of node.alternatives) {
    const alone = { ...emptyNode(), alternatives: [alternatives] };
    if (matchesJson(compileTree(alone), content)) continue;
    const first = alternatives[0] ?? emptyNode();
    const reason = findMismatch(first, content, path);
    return `${path}.$or: none of the ${alternatives.length} alternatives holds; of the first: ${reason}`;
  }
  return `${path}: each field holds by itself, but not all of them in the same element of a list`;
}

function valuesUnder(content: unknown, name: string): unknown[] {
  if (Array.isArray(content)) return content.flatMap((element) => valuesUnder(element, name));
  const isThere = typeof content === "object" && content !== null && Object.hasOwn(content, name);
  return isThere ? [(content as Record<string, unknown>)[name]] : [];
}

function flatten(values: readonly unknown[]): unknown {
  return values.length > 1 ? values : values[0];
}

function describe(content: unknown, rule: string): string {
  if (content === undefined) return `nothing is there, which does not satisfy ${rule}`;
  if (!Array.isArray(content)) return `${show(content)} does not satisfy ${rule}`;
  const shown = content.slice(0, VALUES_SHOWN_MAX).map(show);
  const more = content.length > VALUES_SHOWN_MAX ? ", …" : "";
  return `none of ${shown.join(", ")}${more} satisfies ${rule}`;
}

function show(value: unknown): string {
  const text = JSON.stringify(value) ?? "undefined";
  return text.length > SHOWN_LENGTH_MAX ? `${text.slice(0, SHOWN_LENGTH_MAX)}…` : text;
}
