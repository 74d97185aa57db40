import { randomBytes } from "node:crypto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { createHeaderSeal } from "./header-seal.ts";

const key = randomBytes(32);
const seal = createHeaderSeal(key);

describe("header seal", () => {
  it("I-21: gives back any headers, __proto__ among them, and shows none of them", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.string(), fc.string({ minLength: 8 })), { maxLength: 5 }),
        (entries) => {
          const headers = Object.fromEntries([["__proto__", "proto-value"], ...entries]);
          const sealed = seal.seal("f", headers);
          expect(Object.entries(seal.open("f", sealed))).toEqual(Object.entries(headers));
          for (const value of Object.values(headers)) expect(sealed.includes(value)).toBe(false);
        },
      ),
    );
  });

  it("opens for the same function and the same key only, unchanged", () => {
    const sealed = seal.seal("f", { a: "canary" });
    expect(() => seal.open("g", sealed)).toThrow(/can't be opened/);
    expect(() => createHeaderSeal(randomBytes(32)).open("f", sealed)).toThrow(/another one/);
    expect(() => seal.open("f", sealed.subarray(0, 20))).toThrow(/can't be opened/);
    expect(() => seal.open("f", Buffer.alloc(0))).toThrow(/can't be opened/);
    for (let at = 0; at < sealed.length; at++) {
      const bent = Buffer.from(sealed);
      bent[at] = (bent[at] ?? 0) ^ 1;
      expect(() => seal.open("f", bent)).toThrow(/can't be opened/);
    }
  });
});
