import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { afterChange, mayChange, RAISE_WAIT_MAX_MS, STEADY } from "./flapping.ts";

describe("flapping problems", () => {
  it("a first problem and its healing a second later pass", () => {
    expect(mayChange(STEADY, 0, false)).toBe(true);
    const raised = afterChange(STEADY, 0, "a");
    expect(mayChange(raised, 999, true)).toBe(false);
    expect(mayChange(raised, 1_000, true)).toBe(true);
  });

  it("what comes and goes every second costs a few changes a minute, and is still raised within 20 s", () => {
    fc.assert(
      fc.property(fc.integer({ min: 50, max: 5_000 }), (everyMs) => {
        let flapping = STEADY;
        let isShown = false;
        let changes = 0;
        let wrongSinceMs = 0;
        let hiddenMsMax = 0;
        for (let nowMs = 0; nowMs < 600_000; nowMs += everyMs) {
          const isWrong = (nowMs / everyMs) % 2 === 0;
          if (isShown || !isWrong) wrongSinceMs = nowMs;
          hiddenMsMax = Math.max(hiddenMsMax, nowMs - wrongSinceMs);
          if (isWrong === isShown || !mayChange(flapping, nowMs, !isWrong)) continue;
          isShown = isWrong;
          flapping = afterChange(flapping, nowMs, isWrong ? "a" : null);
          changes++;
        }
        expect(changes).toBeLessThan(30);
        expect(hiddenMsMax).toBeLessThanOrEqual(RAISE_WAIT_MAX_MS + everyMs);
      }),
    );
  });

  it("one problem after the other is said at once, however many there are", () => {
    let flapping = STEADY;
    for (let step = 0; step < 10; step++) {
      expect(mayChange(flapping, step * 1_000, false)).toBe(true);
      flapping = afterChange(flapping, step * 1_000, `problem ${step}`);
    }
    expect(mayChange(flapping, 10_000, true)).toBe(true);
  });

  it("forgets after a quiet while", () => {
    let flapping = STEADY;
    for (let change = 0; change < 12; change++) {
      flapping = afterChange(flapping, 0, change % 2 === 0 ? "a" : null);
    }
    expect(mayChange(flapping, 19_999, false)).toBe(false);
    expect(mayChange(flapping, 20_000, false)).toBe(true);
    expect(mayChange(flapping, 119_999, true)).toBe(false);
    expect(mayChange(flapping, 180_000, true)).toBe(true);
  });
});
