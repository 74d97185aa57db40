/**
 * Postgres arrays of one dimension as text, both ways
 * (https://www.postgresql.org/docs/current/arrays.html#ARRAYS-IO).
 *
 * The driver can ask the server for its array types at each connection; when that question is cut off it ends the process. So the array
 * types that Penstock uses are named here instead.
 */
export type ArrayElement = null | boolean | number | bigint | string | Date | Uint8Array;

export function writeArray(values: readonly ArrayElement[]): string {
  const elements = values.map((value) =>
    value === null ? "NULL" : `"${elementText(value).replace(/[\\"]/g, "\\$&")}"`,
  );
  return `{${elements.join(",")}}`;
}

function elementText(value: NonNullable<ArrayElement>): string {
  if (value instanceof Date) return value.toISOString();
  if (value instanceof Uint8Array) return `\\x${Buffer.from(value).toString("hex")}`;
  return String(value);
}

const ELEMENT = /"((?:[^"\\]|\\.)*)"|([^",{}]+)/gs;

export function readArray<T>(text: string, readElement: (text: string) => T): (T | null)[] {
  return Array.from(text.matchAll(ELEMENT), ([, quoted, bare]) => {
    if (quoted !== undefined) return readElement(quoted.replace(/\\(.)/gs, "$1"));
    return bare === "NULL" ? null : readElement(bare ?? "");
  });
}

const asText = (text: string) => text;

/** Object ids of array types (`pg_type.oid`, fixed in every Postgres) and how to read their elements. */
const ARRAY_TYPES: readonly [oid: number, readElement: (text: string) => unknown][] = [
  [1000, (text) => text === "t"],
  [1005, Number],
  [1007, Number],
  [1009, asText],
  [1015, asText],
  [1016, BigInt],
  [1022, Number],
  [1185, (text) => new Date(text)],
  [2951, asText],
  [3807, (text) => JSON.parse(text) as unknown],
];

/** For the driver's `types`. */
export function arrayTypes() {
  return Object.fromEntries(
    ARRAY_TYPES.map(([oid, readElement]) => [
      `array${oid}`,
      {
        to: oid,
        from: [oid],
        serialize: (value: readonly ArrayElement[] | string) =>
          typeof value === "string" ? value : writeArray(value),
        parse: (text: string) => readArray(text, readElement),
      },
    ]),
  );
}
