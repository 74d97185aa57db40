import { describe, expect, it } from "vitest";
import { Backoff } from "./backoff.ts";

describe("Backoff", () => {
  it("doubles its ceiling up to the limit", () => {
    const backoff = new Backoff(100, 1000, () => 1);
    const delays = [1, 2, 3, 4, 5, 6].map(() => backoff.next());
    expect(delays).toEqual([100, 200, 400, 800, 1000, 1000]);
  });

  it("L-5: spreads the delays over the whole range, never below the least", () => {
    const backoff = new Backoff(100, 1000, () => 0);
    expect([backoff.next(), backoff.next(), backoff.next()]).toEqual([100, 100, 100]);
  });

  it("begins anew after a reset", () => {
    const backoff = new Backoff(100, 1000, () => 1);
    backoff.next();
    backoff.next();
    backoff.reset();
    expect(backoff.next()).toBe(100);
  });
});
