import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CallerThrottle } from "./caller-throttle.ts";

describe("CallerThrottle", () => {
  it("lets a burst through, then as many as flow in, and says how long to wait", () => {
    const throttle = new CallerThrottle({ perSecond: 2, burst: 3 });
    const takes = (atMs: number) => throttle.take("a", atMs);
    expect([takes(0), takes(0), takes(0)]).toEqual([0, 0, 0]);
    expect(takes(0)).toBe(500);
    expect(takes(250)).toBe(250);
    expect(takes(500)).toBe(0);
    expect(takes(500)).toBe(500);
    expect([takes(60_000), takes(60_000), takes(60_000)]).toEqual([0, 0, 0]);
    expect(takes(60_000)).toBe(500);
  });

  it("counts each caller by itself", () => {
    const throttle = new CallerThrottle({ perSecond: 1, burst: 1 });
    expect(throttle.take("a", 0)).toBe(0);
    expect(throttle.take("a", 0)).toBeGreaterThan(0);
    expect(throttle.take("b", 0)).toBe(0);
  });

  it("is off at 0 a second", () => {
    const throttle = new CallerThrottle({ perSecond: 0, burst: 1 });
    for (let i = 0; i < 100; i++) expect(throttle.take("a", 0)).toBe(0);
    expect(throttle.size).toBe(0);
  });

  it("keeps a bounded number of callers, those that called last", () => {
    const throttle = new CallerThrottle({ perSecond: 1, burst: 1, callersMax: 2 });
    for (const caller of ["a", "b", "a", "c"]) throttle.take(caller, 0);
    expect(throttle.size).toBe(2);
    expect(throttle.take("a", 0)).toBeGreaterThan(0);
    expect(throttle.take("b", 0)).toBe(0);
  });

  it("never lets more through than the burst and what flowed in", () => {
    const gaps = fc.array(fc.integer({ min: 0, max: 2000 }), { maxLength: 200 });
    fc.assert(
      fc.property(
        gaps,
        fc.integer({ min: 1, max: 50 }),
        fc.integer({ min: 1, max: 20 }),
        (...given) => {
          const [waits, perSecond, burst] = given;
          const throttle = new CallerThrottle({ perSecond, burst });
          let nowMs = 0;
          let passed = 0;
          for (const waitMs of waits) {
            nowMs += waitMs;
            if (throttle.take("a", nowMs) === 0) passed++;
          }
          expect(passed).toBeLessThanOrEqual(burst + (nowMs * perSecond) / 1000 + 1e-6);
        },
      ),
    );
  });
});
