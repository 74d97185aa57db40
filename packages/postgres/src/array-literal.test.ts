import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readArray, writeArray } from "./array-literal.ts";

describe("array literals", () => {
  it("I-13: any texts come back as they went in, null among them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.string({ unit: "binary" }), fc.constant(null))),
        (values) => {
          expect(readArray(writeArray(values), (text) => text)).toEqual(values);
        },
      ),
    );
  });

  it("reads what Postgres writes", () => {
    expect(readArray('{a,"b c",NULL,"NULL","","x\\"y\\\\"}', (text) => text)).toEqual([
      "a",
      "b c",
      null,
      "NULL",
      "",
      'x"y\\',
    ]);
    expect(readArray("{}", Number)).toEqual([]);
    expect(readArray("{1,-2}", Number)).toEqual([1, -2]);
  });

  it("writes numbers, bigints, booleans, dates and bytes", () => {
    expect(writeArray([1, 2n ** 60n, true, new Date(0), Uint8Array.of(255)])).toBe(
      '{"1","1152921504606846976","true","1970-01-01T00:00:00.000Z","\\\\xff"}',
    );
  });
});
