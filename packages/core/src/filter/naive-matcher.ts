/**
 * A second opinion on filters, for tests: slow, and written from the definition instead of for the machine.
 *
 * A pattern is written out into all rules that its `$or` lists stand for, a rule being paths and lists. A record is written
 * out into fields: path, scalar, and the element of each list that it came from. A rule holds when a field (or absence) can be
 * chosen for each path so that no two chosen fields come from different elements of one list, and no field of an absent
 * path could have been chosen with them.
 */
type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
type Rule = readonly { readonly path: string; readonly list: readonly Json[] }[];

interface Field {
  readonly path: string;
  readonly scalar: Json;
  /** Index by list. */
  readonly elements: ReadonlyMap<Json[], number>;
}

export function naiveMatch(pattern: Json, record: Json): boolean {
  const fields = fieldsOf(record, [], new Map());
  return rulesOf(pattern, []).some((rule) => holds(rule, fields, [], []));
}

function rulesOf(pattern: Json, path: readonly string[]): Rule[] {
  let rules: Rule[] = [[]];
  for (const [name, content] of Object.entries(pattern as { [name: string]: Json })) {
    let choices: Rule[];
    if (name === "$or") choices = (content as Json[]).flatMap((item) => rulesOf(item, path));
    else if (Array.isArray(content))
      choices = [[{ path: [...path, name].join("."), list: content }]];
    else choices = rulesOf(content, [...path, name]);
    rules = rules.flatMap((rule) => choices.map((choice) => [...rule, ...choice]));
  }
  return rules;
}

function fieldsOf(
  json: Json,
  path: readonly string[],
  elements: ReadonlyMap<Json[], number>,
): Field[] {
  if (Array.isArray(json)) {
    return json.flatMap((item, index) =>
      fieldsOf(item, path, new Map([...elements, [json, index]])),
    );
  }
  if (typeof json === "object" && json !== null) {
    return Object.entries(json).flatMap(([name, value]) =>
      fieldsOf(value, [...path, name], elements),
    );
  }
  return [{ path: path.join("."), scalar: json, elements }];
}

function holds(
  rest: Rule,
  fields: readonly Field[],
  chosen: readonly Field[],
  absent: readonly string[],
): boolean {
  const [first, ...others] = rest;
  if (first === undefined) {
    return absent.every((path) => !fields.some((f) => f.path === path && fits(f, chosen)));
  }
  const { path, list } = first;
  if (
    list.some((item) => isExists(item, false)) &&
    holds(others, fields, chosen, [...absent, path])
  ) {
    return true;
  }
  return fields
    .filter((field) => field.path === path && list.some((item) => satisfies(item, field.scalar)))
    .some((field) => fits(field, chosen) && holds(others, fields, [...chosen, field], absent));
}

function fits(field: Field, chosen: readonly Field[]): boolean {
  return chosen.every((other) =>
    [...field.elements].every(([list, index]) => (other.elements.get(list) ?? index) === index),
  );
}

function isExists(item: Json, wanted: boolean): boolean {
  return typeof item === "object" && !Array.isArray(item) && item?.exists === wanted;
}

/** Whether one item of a list is satisfied by a scalar that is there. */
export function satisfies(item: Json, scalar: Json): boolean {
  if (typeof item !== "object" || item === null) return item === scalar;
  const [name, argument] = Object.entries(item)[0] as [string, Json];
  const isText = typeof scalar === "string";
  if (name === "exists") return argument === true;
  if (name === "prefix") return isText && scalar.indexOf(String(argument)) === 0;
  if (name === "suffix") {
    const at = isText ? scalar.length - String(argument).length : -1;
    return isText && at >= 0 && scalar.slice(at) === argument;
  }
  if (name === "equals-ignore-case") {
    return isText && scalar.toLowerCase() === String(argument).toLowerCase();
  }
  if (name === "anything-but") {
    return !(Array.isArray(argument) ? argument : [argument]).includes(scalar);
  }
  const parts = argument as (string | number)[];
  const compare = (operator: unknown, bound: unknown): boolean => {
    const [value, limit] = [scalar as number, bound as number];
    return (
      (value === limit && String(operator).endsWith("=")) ||
      (value < limit && String(operator).startsWith("<")) ||
      (value > limit && String(operator).startsWith(">"))
    );
  };
  if (typeof scalar !== "number") return false;
  return compare(parts[0], parts[1]) && (parts.length === 2 || compare(parts[2], parts[3]));
}
