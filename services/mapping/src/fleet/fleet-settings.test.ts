import { describe, expect, it } from "vitest";
import { FLEET_SETTINGS_DEFAULT, fleetSettings } from "./fleet-settings.ts";

describe("fleetSettings", () => {
  it("I-18: refreshes presence several times within whatever time makes a node vanish", () => {
    for (const nodeVanishedMs of [1000, 2000, 5000, 15_000, 600_000]) {
      const { seenIntervalMs } = fleetSettings({ nodeVanishedMs });
      expect(seenIntervalMs).toBeLessThanOrEqual(nodeVanishedMs / 5);
      expect(seenIntervalMs).toBeGreaterThanOrEqual(200);
    }
    expect(fleetSettings({})).toEqual(FLEET_SETTINGS_DEFAULT);
  });

  it("takes only its own fields of a wider object", () => {
    const wider = { leaseMs: 1, drainLimitMs: 2, host: "h" };
    expect(fleetSettings(wider)).toEqual({
      ...FLEET_SETTINGS_DEFAULT,
      leaseMs: 1,
      drainLimitMs: 2,
    });
  });
});
