import { describe, expect, it } from "vitest";
import { mergeTags, readTagKeys, readTags } from "./mapping-tags.ts";
import { refusal, refusedCreate, stored } from "./testing/mapping-requests.ts";

const many = (n: number) =>
  Object.fromEntries(Array.from({ length: n }, (_, index) => [`k${index}`, "v"]));
const NOT_NULL = (member: string) =>
  `1 validation error detected: Value null at '${member}' failed to satisfy constraint: Member must not be null`;

describe("readTags", () => {
  it.each([
    [{ a: "" }, true],
    [{ "Team 1/_.:=+-@": "héllo wörld 漢字" }, true],
    [{ "a#b": "" }, false],
    [{ a: "b\n" }, false],
    [{ a: "<b>" }, false],
    [{ "a\ud800": "" }, false],
    [{ a: "\udc00" }, false],
    [{ "aws:team": "" }, false],
    [{ "AWS:team": "" }, false],
    [{ "my aws:team": "" }, true],
  ])("takes %j: %s", (tags, isAccepted) => {
    expect(refusal(() => readTags(tags)) === null).toBe(isAccepted);
    expect(refusedCreate({ tags }) === null).toBe(isAccepted);
  });

  it("answers as AWS does when there are none, too many or reserved ones", () => {
    expect(refusal(() => readTags(undefined))?.message).toBe(NOT_NULL("tags"));
    expect(refusal(() => readTags({}))?.message).toBe(
      "An error occurred and the request cannot be processed.",
    );
    expect(refusal(() => readTags(many(51)))).toMatchObject({
      type: "InvalidParameterValueException",
      message: "Number of tags exceeds resource tag limit.",
    });
    expect(refusal(() => readTags({ "aws:x": "" }))?.message).toBe(
      "System tags cannot be added/updated by requester.",
    );
    expect(refusal(() => readTags({ "#": "" }))?.message).toBe(
      "1 validation error detected: Value '{#=…}' at 'tags' failed to satisfy constraint: Map keys must satisfy constraint: " +
        "[Member must have length less than or equal to 128, Member must have length greater than or equal to 1, " +
        "Member must satisfy regular expression pattern: ([\\p{L}\\p{Z}\\p{N}_.:/=+\\-@]*), Member must not be null]",
    );
  });

  it("is content with none at create", () => {
    expect(refusedCreate({ tags: {} })).toBeNull();
  });

  it("S-16: takes __proto__ and its friends for the keys that they are", () => {
    const tags = JSON.parse('{"__proto__":"a","constructor":"b"}');
    expect([...readTags(tags)]).toEqual([
      ["__proto__", "a"],
      ["constructor", "b"],
    ]);
    expect(Object.prototype).not.toHaveProperty("a");
    expect(stored({ tags })).not.toHaveProperty("tags");
  });
});

describe("readTagKeys", () => {
  it("takes keys once each", () => {
    expect([...readTagKeys(["a", "b", "a"])]).toEqual(["a", "b"]);
    expect(readTagKeys(Object.keys(many(50))).size).toBe(50);
  });

  it.each([
    [undefined, NOT_NULL("tagKeys")],
    [[], NOT_NULL("tagKeys")],
    [[""], /at 'tagKeys' failed to satisfy constraint: Member must satisfy constraint: \[/],
    [Object.keys(many(51)), /Member must have length less than or equal to 50$/],
  ])("refuses %j", (keys, message) => {
    expect(refusal(() => readTagKeys(keys))).toMatchObject({
      type: "ValidationException",
      message: typeof message === "string" ? message : expect.stringMatching(message),
    });
  });
});

describe("mergeTags", () => {
  const stored50 = new Map(Object.entries(many(50)));

  it("replaces equal keys and adds others", () => {
    const merged = mergeTags(stored50, new Map([["k0", "new"]]));
    expect([merged.size, merged.get("k0"), merged.get("k1")]).toEqual([50, "new", "v"]);
  });

  it("I-14: holds 50, not 51", () => {
    expect(refusal(() => mergeTags(stored50, new Map([["x", ""]])))?.message).toBe(
      "Number of tags exceeds resource tag limit.",
    );
  });
});
