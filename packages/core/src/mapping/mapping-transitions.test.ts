import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { MAPPING_STATES } from "./mapping.ts";
import { stateAfterUpdate } from "./mapping-transitions.ts";

const on = { isEnabled: true };
const off = { isEnabled: false };

describe("stateAfterUpdate", () => {
  it.each([
    ["Enabled", on, off, "Disabling"],
    ["Disabled", off, on, "Enabling"],
    ["Enabled", on, on, "Updating"],
    ["Disabled", off, off, "Updating"],
    ["Updating", on, on, "Updating"],
    ["Updating", on, off, "Disabling"],
    ["Enabling", on, off, "Disabling"],
    ["Disabling", off, on, "Enabling"],
    ["Enabling", on, on, "Enabling"],
    ["Disabling", off, off, "Disabling"],
    ["Creating", on, off, "Creating"],
    ["Creating", off, on, "Creating"],
  ] as const)("I-17: from %s with %j to %j it is %s", (state, before, after, expected) => {
    expect(stateAfterUpdate(state, before, after)).toBe(expected);
  });

  it("I-17: never hides an outstanding stop, never leaves Deleting, never reports done by itself", () => {
    fc.assert(
      fc.property(
        fc.constantFrom(...MAPPING_STATES),
        fc.boolean(),
        fc.boolean(),
        (state, was, is) => {
          const next = stateAfterUpdate(state, { isEnabled: was }, { isEnabled: is });
          expect(["Enabled", "Disabled"]).not.toContain(next);
          if (state === "Deleting" || state === "Creating") expect(next).toBe(state);
          if (state === "Disabling" && !is) expect(next).toBe("Disabling");
        },
      ),
    );
  });
});
