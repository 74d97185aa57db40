import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Setting } from "../setting.ts";
import { invokerChoice } from "./invoker-choice.ts";
import { formatAddress, parseAddress } from "./network-address.ts";
import { address, flag, integer, list, port, text } from "./setting-kinds.ts";

const said = { name: "X", description: "" };

describe("integer", () => {
  const setting = integer({ ...said, min: 5, max: 10, default: 7 });

  it("I-14: takes its bounds and refuses one beyond each", () => {
    expect(["4", "5", "10", "11"].map((given) => setting.read(given).ok)).toEqual([
      false,
      true,
      true,
      false,
    ]);
  });

  it.each(["", "7.5", "0x7", "7e0", "seven", "+7", " 7", "٧"])("refuses %j", (given) => {
    expect(setting.read(given).ok).toBe(false);
  });

  it("takes grouped digits", () => {
    expect(integer({ ...said, min: 0, max: 1e9, default: 0 }).read("16_777_216")).toEqual({
      ok: true,
      value: 16_777_216,
    });
  });
});

describe("the other kinds", () => {
  it("read what they say", () => {
    expect(value(port({ ...said, default: 1 }), "65535")).toBe(65_535);
    expect(value(flag({ ...said, default: false }), "TRUE")).toBe(true);
    expect(value(flag({ ...said, default: true }), "off")).toBe(false);
    expect(value(list(said), " a, b ,,c")).toEqual(["a", "b", "c"]);
    expect(value(address({ ...said, default: "a:1" }), "[::1]:7400")).toBe("[::1]:7400");
    expect(value(text({ ...said, oneOf: ["a", "b"] }), "b")).toBe("b");
  });

  it("refuse the rest", () => {
    expect(flag({ ...said, default: true }).read("maybe").ok).toBe(false);
    expect(address({ ...said, default: "a:1" }).read("http://a:1").ok).toBe(false);
    expect(address({ ...said, default: "a:1" }).read("a:0").ok).toBe(false);
    expect(text({ ...said, oneOf: ["a"] }).read("b").ok).toBe(false);
    expect(text(said).read("x".repeat(4097)).ok).toBe(false);
  });
});

describe("invokerChoice", () => {
  const setting = invokerChoice(said);

  it("is the fleet's, embedded, or a list", () => {
    expect(setting.fallback).toEqual({ ok: true, value: { kind: "fleet" } });
    expect(value(setting, "embedded")).toEqual({ kind: "embedded" });
    expect(value(setting, "a:1, b:2")).toEqual({ kind: "addresses", addresses: ["a:1", "b:2"] });
    expect(setting.read("a:1,b").ok).toBe(false);
  });
});

describe("parseAddress", () => {
  it.each([
    "256.1.1.1:7401",
    "1.2.3.4.5:7401",
    "a.0x:7401",
    "a:0",
    "a:65536",
    "a b:1",
    "http://a:1",
    "[1.2.3.4]:1",
  ])("S-16: knows that nobody can be dialled at %s", (address) => {
    expect(parseAddress(address)).toBeNull();
  });

  it("undoes formatAddress", () => {
    const host = fc.oneof(fc.ipV4(), fc.ipV6(), fc.constantFrom("localhost", "a-b.example", "a_b"));
    fc.assert(
      fc.property(host, fc.integer({ min: 1, max: 65_535 }), (name, number) => {
        expect(parseAddress(formatAddress(name, number))).toEqual({ host: name, port: number });
      }),
    );
  });
});

function value<T>(setting: Setting<T>, given: string): T {
  const result = setting.read(given);
  if (!result.ok) throw new Error(result.problem);
  return result.value;
}
