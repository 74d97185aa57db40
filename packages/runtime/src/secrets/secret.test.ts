import { inspect } from "node:util";
import { describe, expect, it } from "vitest";
import { Secret } from "./secret.ts";

describe("Secret", () => {
  const secret = new Secret("hunter2");

  it("I-21, S-12: shows its value on request only", () => {
    const shown = [
      `${secret}`,
      String(secret),
      JSON.stringify({ secret }),
      inspect(secret),
      inspect({ deep: { secret } }, { showHidden: true, depth: null }),
      JSON.stringify(Object.entries(secret)),
      new Error(`failed with ${secret}`).message,
    ];
    for (const text of shown) expect(text).not.toContain("hunter2");
    expect(secret.reveal()).toBe("hunter2");
  });
});
