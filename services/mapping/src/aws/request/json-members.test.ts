import { describe, expect, it } from "vitest";
import { AwsRefusal } from "../wire/aws-refusal.ts";
import { JsonMembers } from "./json-members.ts";

type Reader =
  | "string"
  | "integer"
  | "boolean"
  | "timestamp"
  | "strings"
  | "structures"
  | "stringMap";

const read = (reader: Reader, value: unknown) =>
  JsonMembers.of({ Member: value })[reader]("Member");

describe("JsonMembers", () => {
  it.each<[Reader, unknown, string]>([
    ["string", 1, "Member: NUMBER_VALUE can not be converted to a String"],
    ["string", true, "Member: TRUE_VALUE can not be converted to a String"],
    ["string", ["a"], "Member: START_ARRAY can not be converted to a String"],
    ["integer", "1", "Member: STRING_VALUE can not be converted to an Integer"],
    ["integer", 1.5, "Member: NUMBER_VALUE can not be converted to an Integer"],
    ["integer", 2 ** 31, "Member: NUMBER_VALUE can not be converted to an Integer"],
    ["integer", -1e300, "Member: NUMBER_VALUE can not be converted to an Integer"],
    ["boolean", "true", "Member: STRING_VALUE can not be converted to a Boolean"],
    ["boolean", 0, "Member: NUMBER_VALUE can not be converted to a Boolean"],
    ["timestamp", "2026-01-01T00:00:00Z", "STRING_VALUE can not be converted to a Timestamp"],
    ["timestamp", 1e13, "NUMBER_VALUE can not be converted to a Timestamp"],
    ["strings", "a", "Member: STRING_VALUE can not be converted to a list"],
    ["strings", ["a", null], "Member[1]: NULL_VALUE can not be converted to a String"],
    ["structures", [{}, 1], "Member[1]: NUMBER_VALUE can not be converted to a structure"],
    ["structures", [null], "Member[0]: NULL_VALUE can not be converted to a structure"],
    ["stringMap", [], "Member: START_ARRAY can not be converted to a structure"],
    ["stringMap", { a: 1 }, "Member.a: NUMBER_VALUE can not be converted to a String"],
  ])("refuses as %s %j", (reader, value, message) => {
    expect(() => read(reader, value)).toThrow(message);
    expect(() => read(reader, value)).toThrow(AwsRefusal);
  });

  it.each([1, "text", [], null, true])("refuses %j as a body", (body) => {
    expect(() => JsonMembers.of(body)).toThrow("The body: ");
  });

  it("takes null for absent, and no body for an empty one", () => {
    const members = JsonMembers.of({ Member: null });
    expect(members.has("Member")).toBe(false);
    expect(members.isEmpty).toBe(true);
    expect(read("string", null)).toBeUndefined();
    expect(JsonMembers.of(undefined).isEmpty).toBe(true);
  });

  it.each([
    [0, 0n, 0],
    [1_700_000_000, 1_700_000_000n, 0],
    [1_700_000_000.123, 1_700_000_000n, 123_000_000],
    [0.9999999, 1n, 0],
    [-0.5, -1n, 500_000_000],
  ])("reads the time %d", (value, seconds, nanos) => {
    expect(read("timestamp", value)).toEqual({ seconds, nanos });
  });

  it("S-16: leaves __proto__ and constructor inert", () => {
    const body = JSON.parse(
      '{"__proto__":{"Member":"x"},"constructor":1,"Tags":{"__proto__":"y"}}',
    );
    const members = JsonMembers.of(body);
    expect(members.string("Member")).toBeUndefined();
    expect(members.has("toString")).toBe(false);
    const tags = members.stringMap("Tags");
    expect(Object.entries(tags ?? {})).toEqual([["__proto__", "y"]]);
    expect(Object.getPrototypeOf(tags)).toBe(Object.prototype);
  });
});
