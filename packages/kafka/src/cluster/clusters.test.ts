import type { SourceSecurity } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { clusterKey } from "./clusters.ts";

const security = (identity: string): SourceSecurity => ({
  identity,
  isTls: true,
  credentials: () => Promise.reject(new Error("not asked")),
  refused() {},
});

describe("clusterKey", () => {
  it("is equal for the same servers in any order with the same security, and for no others", () => {
    const key = clusterKey(["a:1", "b:1"], security("one"));
    expect(clusterKey(["b:1", "a:1", "a:1"], security("one"))).toBe(key);
    for (const other of [
      clusterKey(["a:1", "b:1"], security("two")),
      clusterKey(["a:1", "b:1"]),
      clusterKey(["a:1"], security("one")),
      clusterKey(["a:1,b:1"], security("one")),
    ])
      expect(other).not.toBe(key);
  });
});
