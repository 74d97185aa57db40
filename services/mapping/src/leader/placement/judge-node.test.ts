import { describe, expect, it } from "vitest";
import { judgeNode } from "./judge-node.ts";

describe("judgeNode", () => {
  it("I-19: declares no node gone while it could not have been seen", () => {
    for (const isDraining of [true, false]) {
      expect(judgeNode({ isSeenLately: false, isDraining }, true)).toBe("silent");
      expect(judgeNode({ isSeenLately: false, isDraining }, false)).toBe("gone");
    }
  });

  it("gives to nodes that are seen and do not drain", () => {
    expect(judgeNode({ isSeenLately: true, isDraining: false }, false)).toBe("accepting");
    expect(judgeNode({ isSeenLately: true, isDraining: true }, true)).toBe("draining");
  });
});
