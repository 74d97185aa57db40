/**
 * `{"a.b": 1}` and `{"a": {"b": 1}}` are the same field to a filter. This turns the first form into the second.
 *
 * Where both are there and one is no object, they become alternatives: a list, whose elements a filter tries one by one.
 * The result holds no prototype, so that no name is special (S-16).
 */

/** A name of more parts stays as it is: no pattern reaches it. */
const NAME_PARTS_MAX = 64;

export type Fields = { [name: string]: unknown };

/** Whether {@link expandDottedNames} would change anything. Most records are read and not copied. */
export function hasDottedName(json: unknown): boolean {
  if (typeof json !== "object" || json === null) return false;
  if (Array.isArray(json)) return json.some(hasDottedName);
  for (const name in json) {
    if (name.includes(".") || hasDottedName((json as Fields)[name])) return true;
  }
  return false;
}

/** A copy of parsed JSON, nested at most as deep as the parser was allowed to go. */
export function expandDottedNames(json: unknown): unknown {
  if (typeof json !== "object" || json === null) return json;
  if (Array.isArray(json)) return json.map(expandDottedNames);
  const fields = emptyFields();
  for (const [name, value] of Object.entries(json))
    addField(fields, name, expandDottedNames(value));
  return fields;
}

export function emptyFields(): Fields {
  return Object.create(null) as Fields;
}

/** Puts `value` under a name that may be dotted. A field that is there already gets an alternative. */
export function addField(fields: Fields, name: string, value: unknown): void {
  const parts = partsOf(name);
  let target = fields;
  for (let at = 0; at < parts.length - 1; at++) {
    const part = parts[at] as string;
    const present = target[part];
    if (isFields(present)) {
      target = present;
    } else {
      const next = emptyFields();
      put(target, part, next);
      target = next;
    }
  }
  put(target, parts.at(-1) as string, value);
}

function put(target: Fields, name: string, value: unknown): void {
  if (!(name in target)) {
    target[name] = value;
    return;
  }
  const present = target[name];
  if (isFields(present) && isFields(value)) {
    for (const [inner, innerValue] of Object.entries(value)) put(present, inner, innerValue);
  } else if (present instanceof Alternatives) {
    present.push(value);
  } else {
    target[name] = Alternatives.of(present, value);
  }
}

/** A list that this module made, so that a list of the record is never changed. */
class Alternatives extends Array<unknown> {}

function isFields(value: unknown): value is Fields {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function partsOf(name: string): string[] {
  if (!name.includes(".")) return [name];
  const parts = name.split(".", NAME_PARTS_MAX + 1);
  return parts.length > NAME_PARTS_MAX ? [name] : parts;
}
