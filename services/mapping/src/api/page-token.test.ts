import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readPageSize, readPageToken, writePageToken } from "./page-token.ts";

describe("page tokens", () => {
  it("S-23: lead back to the key, with the same filter only", () => {
    fc.assert(
      fc.property(fc.string(), fc.string(), fc.string({ maxLength: 64 }), (filter, other, key) => {
        const token = writePageToken(filter, key);
        expect(readPageToken(filter, token)).toBe(Buffer.from(key).toString("utf8"));
        if (other !== filter) expect(() => readPageToken(other, token)).toThrow(/page_token/);
      }),
    );
  });

  it("are refused when nobody wrote them", () => {
    for (const token of ["x", "!", "AAAA", "a".repeat(100_000)]) {
      expect(() => readPageToken("f", token)).toThrow(/page_token/);
    }
    expect(readPageToken("f", "")).toBeNull();
  });

  it.each([
    [undefined, 100],
    [1, 1],
    [100, 100],
  ])("I-14: page size %s means %d", (given, size) => {
    expect(readPageSize(given)).toBe(size);
  });

  it.each([0, -1, 101, 2 ** 31 - 1])("I-14: page size %d is refused", (size) => {
    expect(() => readPageSize(size)).toThrow(/page_size/);
  });
});
