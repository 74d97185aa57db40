import { describe, expect, it } from "vitest";
import { readQuery } from "./read-query.ts";

describe("readQuery", () => {
  it.each([
    ["/", []],
    ["/?", []],
    ["/?a", [["a", ""]]],
    [
      "/?a=1&&b=2=3&a=",
      [
        ["a", "1"],
        ["b", "2=3"],
        ["a", ""],
      ],
    ],
    ["/?a%20b=c%2Bd", [["a b", "c+d"]]],
    ["/?a=b?c#d", [["a", "b?c#d"]]],
  ])("reads %s", (url, pairs) => {
    expect(readQuery(url)).toEqual(pairs);
  });

  it("S-10: takes a plus for a plus, as a signature does", () => {
    expect(readQuery("/?tagKeys=a+b")).toEqual([["tagKeys", "a+b"]]);
  });

  it("refuses an escape that is none", () => {
    expect(() => readQuery("/?a=%zz")).toThrow("The query has a malformed escape.");
  });
});
