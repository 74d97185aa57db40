import { distributeAlternatives } from "./pattern/distribute-alternatives.ts";
import type { LeafRule, Scalar } from "./pattern/leaf-rule.ts";
import type { PatternNode } from "./pattern/pattern-tree.ts";

/**
 * A pattern compiled to closures over a JSON value.
 *
 * Lists of the record are flattened: a field that lies in a list has as many values as the list has elements, and a rule needs
 * one that matches. Fields of one pattern never come from different elements of the same list:
 *
 *     {"a": {"b": [1], "c": [2]}}   matches   {"a": [{"b": 1, "c": 2}]}   and not   {"a": [{"b": 1}, {"c": 2}]}
 *
 * `{"exists": false}` holds when no field of that path lies in the elements that the rest of the pattern was found in, or, when
 * the rest found nothing (only such rules), in any element. Hence two questions instead of one:
 *
 * - `found(value)`: does the pattern hold, with at least one rule that a present scalar satisfies?
 * - `absent(values)`: does it hold by absence alone, over all of these values?
 *
 * Each node looks at each value of its path once for each question; nothing backtracks (I-12).
 */
export interface Matcher {
  readonly found: (value: unknown) => boolean;
  readonly absent: (values: readonly unknown[]) => boolean;
  /** `absent` can be true. */
  readonly canBeAbsent: boolean;
}

export function matchesJson(matcher: Matcher, json: unknown): boolean {
  return matcher.found(json) || (matcher.canBeAbsent && matcher.absent([json]));
}

/** Throws `PatternProblem` when the pattern's `$or` lists stand for too many combinations. */
export function compileTree(tree: PatternNode): Matcher {
  return compileNode(distributeAlternatives(tree));
}

function compileNode(node: PatternNode): Matcher {
  const parts = node.rules.map(leaf);
  for (const [name, field] of node.fields) parts.push(under(name, compileNode(field)));
  for (const alternatives of node.alternatives) parts.push(oneOf(alternatives.map(compileNode)));
  return inOneElement(parts);
}

/** All parts, in one and the same element where the value is a list. Its parts are never asked to find anything in a list. */
function inOneElement(parts: readonly Matcher[]): Matcher {
  const found = (value: unknown): boolean => {
    if (Array.isArray(value)) return value.some(found);
    let isFound = false;
    for (const part of parts) {
      if (part.found(value)) isFound = true;
      else if (!part.canBeAbsent || !part.absent([value])) return false;
    }
    return isFound;
  };
  return {
    found,
    absent: (values) => parts.every((part) => part.absent(values)),
    canBeAbsent: parts.every((part) => part.canBeAbsent),
  };
}

function leaf(rule: LeafRule): Matcher {
  return {
    found: (value) => isScalar(value) && rule.matches(value),
    absent: (values) => rule.allowsAbsent && !values.some(holdsScalar),
    canBeAbsent: rule.allowsAbsent,
  };
}

function under(name: string, field: Matcher): Matcher {
  return {
    found: (value) => hasField(value, name) && field.found(value[name]),
    absent: (values) => {
      if (!field.canBeAbsent) return false;
      const inner: unknown[] = [];
      for (const value of values) collect(value, name, inner);
      return field.absent(inner);
    },
    canBeAbsent: field.canBeAbsent,
  };
}

function oneOf(alternatives: readonly Matcher[]): Matcher {
  return {
    found: (value) => alternatives.some((alternative) => alternative.found(value)),
    absent: (values) =>
      alternatives.some((alternative) => alternative.canBeAbsent && alternative.absent(values)),
    canBeAbsent: alternatives.some((alternative) => alternative.canBeAbsent),
  };
}

/** Adds the values of a field, in every element where `value` is a list. */
function collect(value: unknown, name: string, into: unknown[]): void {
  if (Array.isArray(value)) for (const element of value) collect(element, name, into);
  else if (hasField(value, name)) into.push(value[name]);
}

function holdsScalar(value: unknown): boolean {
  return Array.isArray(value) ? value.some(holdsScalar) : isScalar(value);
}

function isScalar(value: unknown): value is Scalar {
  return value === null || (typeof value !== "object" && value !== undefined);
}

function hasField(value: unknown, name: string): value is { readonly [name: string]: unknown } {
  return typeof value === "object" && value !== null && Object.hasOwn(value, name);
}
