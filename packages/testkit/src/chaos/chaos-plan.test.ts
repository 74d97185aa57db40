import { describe, expect, it } from "vitest";
import { CHAOS_KINDS, planChaos } from "./chaos-plan.ts";

const options = {
  seed: 7,
  durationMs: 120_000,
  intervalMs: 8000,
  pauseMs: 60_000,
  brokerRestarts: 2,
};

describe("planChaos", () => {
  it("makes the same plan of the same seed, and another of another", () => {
    expect(planChaos(options)).toEqual(planChaos(options));
    expect(planChaos(options)).not.toEqual(planChaos({ ...options, seed: 8 }));
  });

  it("has every kind of event, in the order of time", () => {
    for (let seed = 0; seed < 50; seed++) {
      const durationMs = seed % 2 === 0 ? 120_000 : 30_000;
      const plan = planChaos({ ...options, durationMs, seed });
      expect(new Set(plan.map(({ kind }) => kind))).toEqual(new Set(CHAOS_KINDS));
      expect(plan.map(({ atMs }) => atMs)).toEqual(
        plan.map(({ atMs }) => atMs).toSorted((a, b) => a - b),
      );
    }
  });
});
