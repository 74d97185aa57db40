import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { PenstockError } from "../errors/penstock-error.ts";
import { plainRecords } from "../records/plain-record-arbitrary.ts";
import { recordBatchOf } from "../records/record-batch-of.ts";
import { compileFilter, type RecordFilter } from "./compile-filter.ts";
import { compileTree, matchesJson } from "./match-tree.ts";
import { naiveMatch } from "./naive-matcher.ts";
import { parsePattern } from "./pattern/pattern-tree.ts";
import { decode } from "./record-fields.ts";

type Json = Parameters<typeof naiveMatch>[0];

// `d` stands in dotted names alone: what a record with both spellings of one path means is tested by example.
const names = fc.constantFrom("a", "b", "c", "d.e", "d.f");
const scalars = fc.constantFrom<Json>("x", "X", "xy", "", 1, 2, 300, null, true);
const texts = fc.constantFrom("x", "X", "xy", "y", "");
const numbers = fc.constantFrom(0, 1, 2, 300);

const items = fc.oneof(
  { weight: 3, arbitrary: scalars },
  { weight: 3, arbitrary: fc.record({ exists: fc.boolean() }) },
  fc.record({ prefix: texts }),
  fc.record({ suffix: texts }),
  fc.record({ "equals-ignore-case": texts }),
  fc.record({
    "anything-but": fc.oneof(texts, numbers, fc.array(texts, { minLength: 1, maxLength: 3 })),
  }),
  fc.record({ numeric: fc.tuple(fc.constantFrom("=", "<", "<=", ">", ">="), numbers) }),
  fc.record({
    numeric: fc.tuple(
      fc.constantFrom(">", ">="),
      fc.constantFrom(-1, 0),
      fc.constantFrom("<", "<="),
      fc.constantFrom(1, 2, 300),
    ),
  }),
) as fc.Arbitrary<Json>;

/** Depth and width are bounded by hand: the naive matcher takes exponential time. */
function patternsOf(depth: number): fc.Arbitrary<Json> {
  const list = fc.array(items, { minLength: 1, maxLength: 2 });
  const content = depth === 0 ? list : fc.oneof(list, patternsOf(depth - 1));
  const fields = fc.dictionary(names, content, { minKeys: 1, maxKeys: 2 });
  if (depth === 0) return fields;
  const or = fc.array(patternsOf(depth - 1), { minLength: 2, maxLength: 2 });
  return fc.oneof(
    { weight: 3, arbitrary: fields },
    { weight: 1, arbitrary: fc.tuple(fields, or).map(([rest, $or]) => ({ ...rest, $or })) },
  ) as fc.Arbitrary<Json>;
}

function valuesOf(depth: number): fc.Arbitrary<Json> {
  if (depth === 0) return scalars;
  const value = valuesOf(depth - 1);
  return fc.oneof(
    scalars,
    fc.array(value, { maxLength: 3 }),
    fc.dictionary(names, value, { maxKeys: 3 }),
  );
}

const patterns = patternsOf(2);
const records = fc.dictionary(names, valuesOf(3), { maxKeys: 4 });

function compiled(pattern: Json): RecordFilter | null {
  try {
    return compileFilter([JSON.stringify(pattern)]);
  } catch (error) {
    if (error instanceof PenstockError) return null;
    throw error;
  }
}

describe("filters", () => {
  it("I-12: agree with the naive matcher on any pattern and any JSON", () => {
    let matched = 0;
    fc.assert(
      fc.property(
        patterns,
        fc.array(records, { minLength: 1, maxLength: 8 }),
        (pattern, values) => {
          fc.pre(compiled({ value: pattern }) !== null);
          const matcher = compileTree(parsePattern(JSON.stringify(pattern)));
          for (const value of values) {
            const decoded = decode(Buffer.from(JSON.stringify(value)));
            const verdict = decoded.kind === "json" && matchesJson(matcher, decoded.json);
            expect(verdict).toBe(naiveMatch(pattern, value));
            if (verdict) matched++;
          }
        },
      ),
      { numRuns: 3000 },
    );
    expect(matched).toBeGreaterThan(500);
  });

  it("I-12, F90: give a verdict on any bytes, and the same one again", () => {
    const parts = fc.dictionary(
      fc.constantFrom("value", "key", "headers"),
      fc.oneof(patterns, fc.array(items, { minLength: 1, maxLength: 3 })),
      { minKeys: 1 },
    );
    fc.assert(
      fc.property(parts, plainRecords(4), (pattern, list) => {
        const filter = compiled(pattern as Json);
        fc.pre(filter !== null);
        const batch = recordBatchOf(list);
        for (let row = 0; row < batch.count; row++) {
          const verdict = filter.matches(batch, row, "orders", 0);
          expect(filter.matches(batch, row, "orders", 0)).toBe(verdict);
        }
      }),
      { numRuns: 1000 },
    );
  });

  it("I-12: compile or refuse any text, and nothing else happens", () => {
    const text = fc.oneof(
      fc.json(),
      fc.string(),
      patterns.map((json) => JSON.stringify(json)),
    );
    fc.assert(
      fc.property(text, (pattern) => {
        try {
          compileFilter([pattern]);
        } catch (error) {
          expect(error).toBeInstanceOf(PenstockError);
        }
      }),
    );
  });

  it("S-15, I-12: a megabyte of nested lists costs no more than its length, for a pattern of nested absences", () => {
    const depth = 30;
    const path = Array.from({ length: depth }, () => "a").join(".");
    const filter = compileFilter([
      `{"value":{"${path}.b":[{"exists":false}],"${path}.c":[1],"$or":[{"${path}.x":[1]},{"${path}.y":[{"exists":false}]}]}}`,
    ]);
    const leaves = `[${'{"b":1,"c":1},'.repeat(70_000)}{"z":1}]`;
    const value = `${'{"a":['.repeat(depth - 1)}{"a":${leaves}}${"]}".repeat(depth - 1)}`;
    const record = {
      offset: 0n,
      timestampMs: 0,
      key: null,
      value: Buffer.from(value),
      headers: [],
    };
    const batch = recordBatchOf([record]);
    const started = performance.now();
    expect(filter.matches(batch, 0, "orders", 0)).toBe(false);
    expect(performance.now() - started).toBeLessThan(5000);
  });
});
