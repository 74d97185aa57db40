import { PenstockError } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { RefusalPause } from "./refusal-pause.ts";

const REFUSAL = new PenstockError("kafkaAuthentication", "no");

function pause() {
  const clock = { nowMs: 0 };
  const refusals = new RefusalPause(
    () => clock.nowMs,
    () => 1,
  );
  /** Whether an attempt with this secret may be made after so long. */
  const may = (version: string, afterMs = 0) => {
    clock.nowMs += afterMs;
    try {
      refusals.before(version);
      return true;
    } catch (error) {
      expect(error).toBe(REFUSAL);
      return false;
    }
  };
  const refuse = (version: string) => refusals.refused(version, REFUSAL);
  return { refusals, may, refuse };
}

describe("RefusalPause", () => {
  it("F18: the same secret is tried less and less often, at most every half minute", () => {
    const { may, refuse } = pause();
    expect(may("a")).toBe(true);
    for (const pauseMs of [2_000, 4_000, 8_000, 16_000, 30_000, 30_000]) {
      refuse("a");
      expect(may("a", pauseMs - 1)).toBe(false);
      expect(may("a", 1)).toBe(true);
    }
  });

  it("F18: a secret that has changed is tried after a second", () => {
    const { may, refuse } = pause();
    refuse("a");
    expect(may("b", 999)).toBe(false);
    expect(may("b", 1)).toBe(true);
  });

  it("one attempt stands for all, and those that were on their way together count once", () => {
    const { may, refuse } = pause();
    refuse("a");
    refuse("a");
    refuse("a");
    expect(may("a", 2_000)).toBe(true);
    expect(may("a")).toBe(false);
  });

  it("what is accepted ends all pauses", () => {
    const { refusals, may, refuse } = pause();
    refuse("a");
    refusals.accepted();
    expect(may("a")).toBe(true);
  });
});
