import { PatternProblem } from "./leaf-rule.ts";
import { emptyNode, type PatternNode } from "./pattern-tree.ts";

/** Combinations of `$or` alternatives that a pattern may have to be written out into (EventBridge's limit). */
export const COMBINATIONS_MAX = 1000;

/**
 * Writes `$or` lists out where a field is named both inside and beside them.
 *
 *     {"a": {"b": [1]}, "$or": [{"a": {"c": [2]}}, {"d": [3]}]}
 *     → {"$or": [{"a": {"b": [1], "c": [2]}}, {"a": {"b": [1]}, "d": [3]}]}
 *
 * Then all that a pattern says about one field stands in one node, and is looked for in the same element of a list. Lists
 * that share no field with their surroundings stay as they are. Throws {@link PatternProblem} above {@link COMBINATIONS_MAX}.
 */
export function distributeAlternatives(node: PatternNode): PatternNode {
  let left = COMBINATIONS_MAX;
  const distribute = (from: PatternNode): PatternNode => {
    if (!sharesFields(from)) {
      const fields = [...from.fields].map(([name, field]) => [name, distribute(field)] as const);
      const alternatives = from.alternatives.map((list) => list.map(distribute));
      return { rules: from.rules, fields: new Map(fields), alternatives };
    }
    let combinations: PatternNode[] = [{ ...from, alternatives: [] }];
    for (const list of from.alternatives) {
      left -= combinations.length * list.length;
      if (left < 0) {
        throw new PatternProblem(
          `its $or lists stand for more than ${COMBINATIONS_MAX} combinations`,
        );
      }
      combinations = combinations.flatMap((one) => list.map((other) => merge(one, other)));
    }
    return { ...emptyNode(), alternatives: [combinations.map(distribute)] };
  };
  return distribute(node);
}

function sharesFields(node: PatternNode): boolean {
  const seen = new Set(node.fields.keys());
  for (const list of node.alternatives) {
    const names = new Set<string>();
    for (const alternative of list) addNames(alternative, names);
    for (const name of names) {
      if (seen.has(name)) return true;
      seen.add(name);
    }
  }
  return false;
}

function addNames(node: PatternNode, into: Set<string>): void {
  for (const name of node.fields.keys()) into.add(name);
  for (const list of node.alternatives) for (const item of list) addNames(item, into);
}

/** Both have to hold. Leaves its arguments as they are. */
function merge(a: PatternNode, b: PatternNode): PatternNode {
  const fields = new Map(a.fields);
  for (const [name, field] of b.fields) {
    const present = fields.get(name);
    fields.set(name, present === undefined ? field : merge(present, field));
  }
  return {
    rules: [...a.rules, ...b.rules],
    fields,
    alternatives: [...a.alternatives, ...b.alternatives],
  };
}
