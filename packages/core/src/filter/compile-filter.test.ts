import { describe, expect, it } from "vitest";
import { PenstockError } from "../errors/penstock-error.ts";
import { type PlainRecord, recordBatchOf } from "../records/record-batch-of.ts";
import { compileFilter, FILTER_PATTERN_LENGTH_MAX, FILTERS_MAX } from "./compile-filter.ts";
import { FILTER_JSON_DEPTH_MAX } from "./record-fields.ts";

type Part = {
  value?: unknown;
  key?: unknown;
  headers?: [string, string | null][];
  offset?: bigint;
};

function bytesOf(content: unknown): Buffer | null {
  if (content === null || content === undefined) return null;
  if (Buffer.isBuffer(content)) return content;
  return Buffer.from(typeof content === "string" ? content : JSON.stringify(content));
}

/** Whether `pattern` admits a record; strings are the bytes of a value, anything else is written as JSON. */
function admits(pattern: unknown, part: Part): boolean {
  const record: PlainRecord = {
    offset: part.offset ?? 7n,
    timestampMs: 1_700_000_000_000,
    key: bytesOf(part.key),
    value: bytesOf(part.value),
    headers: (part.headers ?? []).map(([key, value]) => ({
      key: Buffer.from(key),
      value: value === null ? null : Buffer.from(value),
    })),
  };
  const text = typeof pattern === "string" ? pattern : JSON.stringify(pattern);
  return compileFilter([text]).matches(recordBatchOf([record]), 0, "orders", 3);
}

const onValue = (pattern: unknown, value: unknown): boolean =>
  admits({ value: pattern }, { value });

function problemOf(pattern: string): string {
  try {
    compileFilter([pattern]);
  } catch (error) {
    if (!(error instanceof PenstockError)) throw error;
    expect(error.code).toBe("invalidArgument");
    expect(error.message).toBe("Invalid filter pattern definition.");
    expect(error.violations[0]?.field).toBe("filter_criteria.filters[0].pattern");
    return error.violations[0]?.description ?? "";
  }
  return "valid";
}

describe("a filter pattern", () => {
  it.each([
    [{ a: ["x"] }, { a: "x" }, { a: "X" }],
    [{ a: ["x", 5] }, { a: 5 }, { a: "5" }],
    [{ a: [300] }, '{"a":300.0}', { a: "300" }],
    [{ a: [300] }, '{"a":3.0e2}', { a: 301 }],
    [{ a: [true] }, { a: true }, { a: "true" }],
    [{ a: [null] }, { a: null }, {}],
    [{ a: [""] }, { a: "" }, { a: null }],
    [{ a: [{ numeric: ["=", 5] }] }, { a: 5.0 }, { a: "5" }],
    [{ a: [{ numeric: ["<", 5] }] }, { a: -1e300 }, { a: 5 }],
    [{ a: [{ numeric: ["<=", 5] }] }, { a: 5 }, { a: 5.000001 }],
    [{ a: [{ numeric: [">", 10, "<=", 20] }] }, { a: 20 }, { a: 10 }],
    [{ a: [{ numeric: [">=", 10, "<", 20] }] }, { a: 10 }, { a: 20 }],
    [{ a: [{ exists: true }] }, { a: null }, { b: 1 }],
    [{ a: [{ exists: true }] }, { a: [1] }, { a: { b: 1 } }],
    [{ a: [{ exists: false }] }, { a: { b: 1 } }, { a: null }],
    [{ a: [{ exists: false }] }, { a: [] }, { a: [1] }],
    [{ a: [{ prefix: "ab" }] }, { a: "abc" }, { a: "Abc" }],
    [{ a: [{ prefix: "" }] }, { a: "" }, { a: 1 }],
    [{ a: [{ suffix: "bc" }] }, { a: "abc" }, { a: "abcd" }],
    [{ a: [{ "anything-but": "x" }] }, { a: "y" }, { a: "x" }],
    [{ a: [{ "anything-but": "x" }] }, { a: null }, {}],
    [{ a: [{ "anything-but": ["x", "y"] }] }, { a: 1 }, { a: "y" }],
    [{ a: [{ "anything-but": [1, 2] }] }, { a: "1" }, { a: 2.0 }],
    [{ a: [{ "equals-ignore-case": "aBc" }] }, { a: "AbC" }, { a: "abcd" }],
    [
      { a: ["x"], b: [1] },
      { a: "x", b: 1 },
      { a: "x", b: 2 },
    ],
    [{ $or: [{ a: ["x"] }, { b: [1] }] }, { b: 1 }, { a: "y", b: 2 }],
    [{ c: [1], $or: [{ a: ["x"] }, { b: [1] }] }, { c: 1, a: "x" }, { a: "x" }],
    [{ a: { $or: [{ b: [1] }, { c: [1] }] } }, { a: { c: 1 } }, { c: 1 }],
    [{ "a.b": [1] }, { a: { b: 1 } }, { a: 1 }],
    [{ a: { b: [1] } }, { "a.b": 1 }, { ab: 1 }],
    [{ a: { b: [1] } }, '{"a\\u002eb":1}', {}],
    [{ a: ["x"] }, { a: ["y", ["x"]] }, { a: ["y"] }],
    [{ a: { b: [1], c: [2] } }, { a: [{}, { b: 1, c: 2 }] }, { a: [{ b: 1 }, { c: 2 }] }],
    [{ "a.b": [1], "a.c": [2] }, { a: [{ b: 1, c: 2 }] }, { a: [{ b: 1 }, { c: 2 }] }],
    [{ a: { b: [{ exists: false }] } }, { a: [{ c: 1 }] }, { a: [{ c: 1 }, { b: 1 }] }],
    [
      { a: { b: [{ exists: false }], c: [1] } },
      { a: [{ c: 1 }, { b: 1 }] },
      { a: [{ c: 1, b: 1 }] },
    ],
    [{ a: [1] }, [{ a: 2 }, { a: 1 }], [{ a: 2 }]],
    [
      { a: { b: [1] }, $or: [{ a: { c: [2] } }, { d: [3] }] },
      { a: [{ b: 1, c: 2 }] },
      { a: [{ b: 1 }, { c: 2 }] },
    ],
  ])("on the value: %j admits %j and not %j", (pattern, admitted, refused) => {
    expect(onValue(pattern, admitted)).toBe(true);
    expect(onValue(pattern, refused)).toBe(false);
  });

  it("compares a list with the text of a value", () => {
    expect(onValue(["error: disk"], "error: disk")).toBe(true);
    expect(onValue([{ prefix: "error" }], "warning")).toBe(false);
    expect(onValue(["5"], "5")).toBe(true);
    expect(onValue([5], "5")).toBe(false);
  });

  it("is not applied where record and pattern are of different forms", () => {
    expect(onValue({ a: [1] }, "plain text")).toBe(true);
    expect(onValue({ a: [1] }, '{"a":2')).toBe(true);
    expect(onValue({ a: [1] }, "42")).toBe(true);
    expect(onValue({ a: [1] }, null)).toBe(true);
    expect(onValue(["plain"], { a: 1 })).toBe(true);
    expect(onValue(["plain"], Buffer.from([0x70, 0xff]))).toBe(true);
    expect(onValue({ a: [1] }, Buffer.from('{"a":"\xff"}', "latin1"))).toBe(true);
    expect(admits({ value: { a: [1] }, partition: [4] }, { value: "plain" })).toBe(false);
  });

  it("knows a replacement character of the record's own from bytes that are not UTF-8", () => {
    expect(onValue(["\ufffd"], "\ufffd")).toBe(true);
    expect(onValue(["x"], "\ufffd")).toBe(false);
    expect(onValue(["x"], Buffer.from([0xf0, 0x90, 0x80]))).toBe(true);
  });

  it("tells null, absent and present values of any form apart", () => {
    const forms = ["text", { a: 1 }, Buffer.from([0xff]), ""];
    for (const value of forms) {
      expect(onValue([null], value)).toBe(false);
      expect(onValue([{ exists: false }], value)).toBe(false);
      expect(onValue([{ exists: true }], value)).toBe(true);
    }
    expect(onValue([null], null)).toBe(true);
    expect(onValue([{ exists: false }], null)).toBe(true);
    expect(onValue([{ exists: true }], null)).toBe(false);
    expect(onValue([{ "anything-but": "x" }], null)).toBe(false);
    expect(onValue([""], "")).toBe(true);
  });

  it("filters on key, headers and metadata", () => {
    const record: Part = {
      key: { id: 5 },
      headers: [
        ["type", "a"],
        ["type", "b"],
        ["ce.source", "x"],
        ["gone", null],
      ],
      offset: 12n,
    };
    expect(admits({ key: { id: [5] } }, record)).toBe(true);
    expect(admits({ key: { id: [6] } }, record)).toBe(false);
    expect(admits({ headers: { type: ["b"] } }, record)).toBe(true);
    expect(admits({ headers: { type: ["c"] } }, record)).toBe(false);
    expect(admits({ headers: { "ce.source": ["x"] } }, record)).toBe(true);
    expect(admits({ headers: { gone: [null], none: [{ exists: false }] } }, record)).toBe(true);
    expect(admits({ topic: [{ prefix: "ord" }], partition: [3] }, record)).toBe(true);
    expect(admits({ offset: [{ numeric: [">", 12] }] }, record)).toBe(false);
    expect(admits({ timestamp: [{ numeric: [">=", 1.7e12] }] }, record)).toBe(true);
    expect(admits({ $or: [{ partition: [9] }, { key: { id: [5] } }] }, record)).toBe(true);
  });

  it("S-16: gives no name a meaning: __proto__, constructor and toString are fields like others", () => {
    for (const name of ["__proto__", "constructor", "toString", "hasOwnProperty"]) {
      const [pattern, present] = [`{"value":{"${name}":[{"exists":true}]}}`, `{"${name}":1}`];
      expect(admits(pattern, { value: present })).toBe(true);
      expect(admits(pattern, { value: '{"a":1}' })).toBe(false);
      expect(admits(pattern, { value: '{"a.b":1}' })).toBe(false);
      const nested = `{"value":{"${name}.x":[1]}}`;
      expect(admits(nested, { value: `{"${name}.x":1}` })).toBe(true);
      expect(admits(nested, { value: `{"${name}":{"x":1},"${name}.y":2}` })).toBe(true);
      expect(admits(`{"headers":{"${name}":["1"]}}`, { headers: [[name, "1"]] })).toBe(true);
      expect(admits(`{"headers":{"${name}":["1"]}}`, {})).toBe(false);
    }
    expect(({} as { x?: unknown }).x).toBeUndefined();
  });

  it("S-17: takes JSON deeper than the limit for text, before it is parsed", () => {
    const nest = (depth: number) => `${'{"a":'.repeat(depth - 1)}{"b":1}${"}".repeat(depth - 1)}`;
    expect(onValue({ a: [1] }, nest(FILTER_JSON_DEPTH_MAX))).toBe(false);
    expect(onValue({ a: [1] }, nest(FILTER_JSON_DEPTH_MAX + 1))).toBe(true);
    expect(onValue({ a: [1] }, `{"s":"${"{[".repeat(500)}"}`)).toBe(false);
    expect(onValue({ a: [1] }, "[".repeat(5_000_000))).toBe(true);
  });

  it.each([
    ["", "not JSON"],
    ["{", "not JSON"],
    ["null", "must be an object"],
    ['"text"', "must be an object"],
    ["[]", "must be an object"],
    ["{}", "the object is empty"],
    ['{"value":"v"}', 'must be a list, such as ["v"]'],
    ['{"value":[]}', "the list is empty"],
    ['{"value":{}}', "the object is empty"],
    ['{"body":["x"]}', "a pattern knows value, key"],
    ['{"topic":{"a":["x"]}}', "topic: must be a list"],
    ['{"headers":["x"]}', "headers: must be an object"],
    ['{"value":[["x"]]}', "not lists"],
    ['{"value":[{"prefix":"a","suffix":"b"}]}', "exactly one member"],
    ['{"value":[{}]}', "exactly one member"],
    ['{"value":[{"prefix":1}]}', '"prefix" takes a string'],
    ['{"value":[{"exists":"true"}]}', '"exists" takes true or false'],
    ['{"value":[{"wildcard":"a*"}]}', '"wildcard" is not supported'],
    ['{"value":[{"cidr":"10.0.0.0/8"}]}', '"cidr" is not supported'],
    ['{"value":[{"anything-but":{"prefix":"a"}}]}', '"anything-but" takes'],
    ['{"value":[{"anything-but":["a",1]}]}', '"anything-but" takes'],
    ['{"value":[{"anything-but":[null]}]}', '"anything-but" takes'],
    ['{"value":[{"anything-but":[]}]}', '"anything-but" takes'],
    ['{"value":[{"prefix":{"equals-ignore-case":"a"}}]}', '"prefix" takes a string'],
    ['{"value":{"a":[{"numeric":["=","1"]}]}}', "compares with numbers"],
    ['{"value":{"a":[{"numeric":["!=",1]}]}}', "=, <, <=, > and >="],
    ['{"value":{"a":[{"numeric":["<",1,">",0]}]}}', "a range goes from"],
    ['{"value":{"a":[{"numeric":[">",2,"<",2]}]}}', "below its top"],
    ['{"value":{"a":[{"numeric":[">"]}]}}', '"numeric" takes'],
    ['{"value":{"a":[1e999]}}', "out of range"],
    ['{"value":{"$or":[{"a":[1]}]}}', "at least two"],
    ['{"$or":[{"a":[1]},{"value":["x"]}]}', "a pattern knows value, key"],
    ['{"value":{"a.b":[1],"a":{"b":[2]}}}', "there twice"],
    [
      `{"value":${Array(12).fill('{"a":{"$or":[{"b":[1]},{"c":[2]}]},"$or":[{"x":[1]},').join("")}{"a":{"b":[3]}}${"]}".repeat(12)}}`,
      "more than 1000 combinations",
    ],
    [`{"value":${'{"a":'.repeat(70)}[1]${"}".repeat(70)}}`, "more than 64 levels"],
    [`{"value.${"a.".repeat(70)}b":[1]}`, "more than 64 levels"],
    [`{"value":["${"x".repeat(FILTER_PATTERN_LENGTH_MAX)}"]}`, "more than 4096 characters"],
  ])("is refused: %s", (pattern, problem) => {
    expect(problemOf(pattern)).toContain(problem);
  });

  it("I-14: may have exactly 4096 characters", () => {
    const pattern = (length: number) => `{"value":["${"x".repeat(length - 14)}"]}`;
    expect(pattern(FILTER_PATTERN_LENGTH_MAX).length).toBe(FILTER_PATTERN_LENGTH_MAX);
    expect(problemOf(pattern(FILTER_PATTERN_LENGTH_MAX))).toBe("valid");
    expect(problemOf(pattern(FILTER_PATTERN_LENGTH_MAX + 1))).toContain("4096");
  });
});

describe("several patterns", () => {
  it("admit what one of them admits", () => {
    const filter = compileFilter(['{"value":["a"]}', '{"value":["b"]}']);
    const values = ["a", "b", "c"].map((value, row) => ({
      offset: BigInt(row),
      timestampMs: 0,
      key: null,
      value: Buffer.from(value),
      headers: [],
    }));
    const batch = recordBatchOf(values);
    expect([0, 1, 2].map((row) => filter.matches(batch, row, "t", 0))).toEqual([true, true, false]);
    expect(compileFilter([]).matches(batch, 2, "t", 0)).toBe(true);
  });

  it("I-14: are at most five, which validation has seen to", () => {
    const pattern = '{"value":["a"]}';
    expect(() => compileFilter(Array(FILTERS_MAX).fill(pattern))).not.toThrow();
    expect(() => compileFilter(Array(FILTERS_MAX + 1).fill(pattern))).toThrow();
  });

  it("name every invalid one", () => {
    const compile = () => compileFilter(['{"value":["a"]}', "{", "null"]);
    expect(compile).toThrow(PenstockError);
    try {
      compile();
    } catch (error) {
      const fields = (error as PenstockError).violations.map(({ field }) => field);
      expect(fields).toEqual([1, 2].map((index) => `filter_criteria.filters[${index}].pattern`));
    }
  });
});
