import type { Clock } from "@penstock/core";
import { describe, expect, it } from "vitest";
import { PauseDetector } from "./pause-detector.ts";

function manualClock(): Clock & { atMs: number } {
  return {
    atMs: 1_000,
    nowMs() {
      return this.atMs;
    },
    wallMs: () => 0,
  };
}

describe("PauseDetector", () => {
  it("F32: whoever asks first after a pause learns of it, and the listeners before the answer", () => {
    const clock = manualClock();
    const detector = new PauseDetector(clock);
    const pauses: number[] = [];
    detector.onPause((ms) => pauses.push(ms));
    const epoch = detector.check();
    clock.atMs += 60_000;
    expect(detector.check()).toBe(epoch + 1);
    expect(pauses).toEqual([60_000]);
    expect(detector.check()).toBe(epoch + 1);
    detector.close();
  });

  it("a process that beats in time is not paused", () => {
    const clock = manualClock();
    const detector = new PauseDetector(clock);
    const epoch = detector.check();
    for (let beat = 0; beat < 50; beat++) {
      clock.atMs += 1_900;
      detector.beat();
    }
    expect(detector.check()).toBe(epoch);
    detector.close();
  });
});
