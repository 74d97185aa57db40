import { create } from "@bufbuild/protobuf";
import { mapping } from "@penstock/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { canonicalText } from "./canonical-text.ts";

const shuffled = (value: object) => Object.fromEntries(Object.entries(value).reverse());

describe("canonicalText", () => {
  it("is the same whatever the order of keys, __proto__ among them", () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue()), (value) => {
        expect(canonicalText(shuffled(value))).toBe(canonicalText(value));
      }),
    );
  });

  it("tells different data apart", () => {
    const values = [
      0,
      0n,
      "0",
      false,
      null,
      [],
      {},
      [0],
      { a: 0 },
      { a: [0] },
      Buffer.from("0"),
      { a: "b,c" },
      { a: "b", c: null },
    ];
    expect(new Set(values.map(canonicalText)).size).toBe(values.length);
  });

  it("reads messages: presence counts, the order of tags does not", () => {
    const tags = { a: "1", b: "2" };
    const request = (fields: object) =>
      canonicalText(create(mapping.CreateEventSourceMappingRequestSchema, fields));
    expect(request({ tags })).toBe(request({ tags: shuffled(tags) }));
    expect(request({ batchSize: 0 })).not.toBe(request({}));
  });
});
