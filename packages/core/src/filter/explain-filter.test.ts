import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { plainRecords } from "../records/plain-record-arbitrary.ts";
import { type PlainRecord, recordBatchOf } from "../records/record-batch-of.ts";
import { compileFilter } from "./compile-filter.ts";
import { explainFilter } from "./explain-filter.ts";

const plain: PlainRecord = {
  offset: 7n,
  timestampMs: 1_000,
  key: Buffer.from("eu-1"),
  value: null,
  headers: [{ key: Buffer.from("kind"), value: Buffer.from("order") }],
};

function explain(pattern: object, value: string | Buffer | null, more: Partial<PlainRecord> = {}) {
  const bytes = typeof value === "string" ? Buffer.from(value) : value;
  const batch = recordBatchOf([{ ...plain, value: bytes, ...more }]);
  return explainFilter([JSON.stringify(pattern)]).explain(batch, 0, "orders", 3)[0];
}

describe("explainFilter", () => {
  it.each([
    ["a match", { value: { a: [1] } }, '{"a":1}', "matches"],
    [
      "the rule of a field that fails",
      { value: { amount: [{ numeric: [">", 100] }] } },
      '{"amount":50}',
      'value.amount: 50 does not satisfy [{"numeric":[">",100]}]',
    ],
    [
      "the first of several fields that fails",
      { value: { a: [1], b: { c: ["x"] } } },
      '{"a":1,"b":{"c":"y"}}',
      'value.b.c: "y" does not satisfy ["x"]',
    ],
    [
      "a field that is not there",
      { value: { a: ["x"] } },
      '{"b":1}',
      'value.a: nothing is there, which does not satisfy ["x"]',
    ],
    [
      "a field of a list",
      { value: { a: { b: [9] } } },
      '{"a":[{"b":1},{"b":2}]}',
      "value.a.b: none of 1, 2 satisfies [9]",
    ],
    [
      "fields of different elements",
      { value: { a: { b: [1], c: [2] } } },
      '{"a":[{"b":1},{"c":2}]}',
      "value.a: each field holds by itself, but not all of them in the same element of a list",
    ],
    [
      "alternatives",
      { value: { $or: [{ a: [1] }, { b: [2] }] } },
      '{"a":3}',
      "value.$or: none of the 2 alternatives holds; of the first: value.a: 3 does not satisfy [1]",
    ],
    ["another topic", { topic: ["other"] }, "x", 'topic: "orders" does not satisfy ["other"]'],
    [
      "a header",
      { headers: { kind: ["refund"] } },
      "x",
      'headers.kind: "order" does not satisfy ["refund"]',
    ],
    ["a key", { key: [{ prefix: "us-" }] }, "x", 'key: "eu-1" does not satisfy [{"prefix":"us-"}]'],
    [
      "what was not applied because of the record's form",
      { value: { a: [1] } },
      "plain text",
      "matches; the fields of value were not looked at: it is text, not a JSON object or list",
    ],
    [
      "what was not applied to bytes",
      { value: ["x"] },
      Buffer.from([0xff, 0xfe]),
      "matches; the list under value was not applied: it is not UTF-8",
    ],
  ])("says of %s", (_, pattern, value, reason) => {
    expect(explain(pattern, value)?.reason).toBe(reason);
  });

  it("I-12: agrees with the filter about any record, and has a reason for each verdict", () => {
    const patterns = [
      '{"value":{"a":[{"exists":false}],"b":{"c":["x",null]}}}',
      '{"key":["0",{"prefix":"x"}],"headers":{"0":[{"exists":true}]}}',
      '{"$or":[{"offset":[{"numeric":[">",100]}]},{"value":[null]}],"partition":[1]}',
      '{"value":{"$or":[{"a":[1]},{"a":{"b":[2]}}]}}',
    ];
    const explainer = explainFilter(patterns);
    const single = patterns.map((pattern) => compileFilter([pattern]));
    const jsonValues = fc.oneof(
      fc.json().map((text) => Buffer.from(text)),
      fc.constantFrom('{"a":[1,{"b":2}]}', '[{"a":1},{"b":{"c":"x"}}]', "{}").map(Buffer.from),
    );
    fc.assert(
      fc.property(plainRecords(3), jsonValues, fc.boolean(), (records, json, isJson) => {
        const batch = recordBatchOf(isJson ? records.map((r) => ({ ...r, value: json })) : records);
        for (let row = 0; row < records.length; row++) {
          const said = explainer.explain(batch, row, "t", 1);
          expect(said.map(({ matches }) => matches)).toEqual(
            single.map((filter) => filter.matches(batch, row, "t", 1)),
          );
          for (const { matches, reason } of said)
            expect(reason.startsWith("matches")).toBe(matches);
        }
      }),
    );
  });
});
