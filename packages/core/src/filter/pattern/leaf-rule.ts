/**
 * The list under a field of a pattern: values and operators, of which one has to hold for one scalar of the record.
 *
 * Operators are those that AWS lists for Lambda event source mappings: equality with a string, number, boolean or null,
 * `exists`, `prefix`, `suffix`, `anything-but` (a string or number, or a list of one kind), `equals-ignore-case` and `numeric`.
 * `wildcard`, `cidr` and nested `anything-but` are refused, as is everything else.
 *
 * https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventfiltering.html#filtering-syntax
 */
export interface LeafRule {
  /** Whether a scalar of the record satisfies the list. */
  readonly matches: (scalar: Scalar) => boolean;
  /** The list holds `{"exists": false}`: a field that is not there satisfies it. */
  readonly allowsAbsent: boolean;
  /** The list holds `null`. */
  readonly matchesNull: boolean;
  /** The list holds `{"exists": true}`. */
  readonly matchesPresent: boolean;
  /** The list holds nothing but `null` and `exists`: it says something about any record, not only about texts. */
  readonly isAboutPresence: boolean;
  /** The list as it was written, cut when long. */
  readonly text: string;
}

const TEXT_LENGTH_MAX = 200;

export type Scalar = string | number | boolean | null;
type Predicate = (scalar: Scalar) => boolean;

/** What is wrong with a pattern; the message says what to change. */
export class PatternProblem extends Error {
  override readonly name = "PatternProblem";
}

export function leafRule(list: readonly unknown[], path: string): LeafRule {
  if (list.length === 0) throw new PatternProblem(`${path}: the list is empty`);
  const equal = new Set<Scalar>();
  const predicates: Predicate[] = [];
  let allowsAbsent = false;
  let matchesPresent = false;
  let isAboutPresence = true;
  for (const item of list) {
    if (isScalar(item)) {
      if (typeof item === "number") finite(item, path);
      equal.add(item);
      isAboutPresence &&= item === null;
      continue;
    }
    const [name, argument] = operatorOf(item, path);
    if (name === "exists") {
      if (typeof argument !== "boolean") {
        throw new PatternProblem(`${path}: "exists" takes true or false`);
      }
      if (argument) matchesPresent = true;
      else allowsAbsent = true;
      continue;
    }
    isAboutPresence = false;
    predicates.push(predicateOf(name, argument, path));
  }
  return {
    matches: matchesPresent ? () => true : anyOf(equal, predicates),
    allowsAbsent,
    matchesNull: equal.has(null),
    matchesPresent,
    isAboutPresence,
    text: cut(JSON.stringify(list)),
  };
}

function cut(text: string): string {
  return text.length > TEXT_LENGTH_MAX ? `${text.slice(0, TEXT_LENGTH_MAX)}…` : text;
}

function anyOf(equal: ReadonlySet<Scalar>, predicates: readonly Predicate[]): Predicate {
  const [only] = equal;
  if (predicates.length === 0) {
    return equal.size === 1 ? (scalar) => scalar === only : (scalar) => equal.has(scalar);
  }
  return (scalar) => equal.has(scalar) || predicates.some((predicate) => predicate(scalar));
}

function operatorOf(item: unknown, path: string): [string, unknown] {
  if (typeof item !== "object" || item === null || Array.isArray(item)) {
    throw new PatternProblem(`${path}: a list holds values and operators, not lists`);
  }
  const entries = Object.entries(item);
  const [entry] = entries;
  if (entry === undefined || entries.length > 1) {
    throw new PatternProblem(`${path}: an operator object has exactly one member`);
  }
  return entry;
}

function predicateOf(name: string, argument: unknown, path: string): Predicate {
  switch (name) {
    case "prefix": {
      const prefix = text(name, argument, path);
      return (scalar) => typeof scalar === "string" && scalar.startsWith(prefix);
    }
    case "suffix": {
      const suffix = text(name, argument, path);
      return (scalar) => typeof scalar === "string" && scalar.endsWith(suffix);
    }
    case "equals-ignore-case": {
      const lower = text(name, argument, path).toLowerCase();
      return (scalar) => typeof scalar === "string" && scalar.toLowerCase() === lower;
    }
    case "anything-but":
      return anythingBut(argument, path);
    case "numeric":
      return numeric(argument, path);
    default:
      throw new PatternProblem(`${path}: the operator ${JSON.stringify(name)} is not supported`);
  }
}

function anythingBut(argument: unknown, path: string): Predicate {
  const list: unknown[] = Array.isArray(argument) ? argument : [argument];
  const kinds = new Set(list.map((item) => typeof item));
  if (kinds.size !== 1 || !(kinds.has("string") || kinds.has("number"))) {
    throw new PatternProblem(
      `${path}: "anything-but" takes a string, a number, or a list of only strings or only numbers`,
    );
  }
  for (const item of list) if (typeof item === "number") finite(item, path);
  const refused = new Set(list);
  return (scalar) => !refused.has(scalar);
}

type Comparison = (value: number) => boolean;

function numeric(argument: unknown, path: string): Predicate {
  const parts: unknown[] = Array.isArray(argument) ? argument : [];
  if (parts.length !== 2 && parts.length !== 4) {
    throw new PatternProblem(
      `${path}: "numeric" takes [operator, number] or [">" or ">=", number, "<" or "<=", number]`,
    );
  }
  const first = comparison(parts[0], parts[1], path);
  if (parts.length === 2) return (scalar) => typeof scalar === "number" && first(scalar);
  const isRange =
    (parts[0] === ">" || parts[0] === ">=") && (parts[2] === "<" || parts[2] === "<=");
  if (!isRange) throw new PatternProblem(`${path}: a range goes from ">" or ">=" to "<" or "<="`);
  const second = comparison(parts[2], parts[3], path);
  if ((parts[1] as number) >= (parts[3] as number)) {
    throw new PatternProblem(`${path}: the bottom of a range lies below its top`);
  }
  return (scalar) => typeof scalar === "number" && first(scalar) && second(scalar);
}

function comparison(operator: unknown, bound: unknown, path: string): Comparison {
  if (typeof bound !== "number")
    throw new PatternProblem(`${path}: "numeric" compares with numbers`);
  finite(bound, path);
  switch (operator) {
    case "=":
      return (value) => value === bound;
    case "<":
      return (value) => value < bound;
    case "<=":
      return (value) => value <= bound;
    case ">":
      return (value) => value > bound;
    case ">=":
      return (value) => value >= bound;
    default:
      throw new PatternProblem(`${path}: "numeric" knows =, <, <=, > and >=`);
  }
}

function text(name: string, argument: unknown, path: string): string {
  if (typeof argument === "string") return argument;
  throw new PatternProblem(`${path}: "${name}" takes a string`);
}

function finite(value: number, path: string): void {
  if (!Number.isFinite(value)) throw new PatternProblem(`${path}: a number is out of range`);
}

function isScalar(item: unknown): item is Scalar {
  return item === null || ["string", "number", "boolean"].includes(typeof item);
}
