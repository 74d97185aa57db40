import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { dueMs, flipBits, HEALTHY } from "./link-faults.ts";

describe("dueMs", () => {
  it("never lets a piece overtake the one before, whatever the jitter", () => {
    const piece = fc.record({
      gapMs: fc.nat(100),
      bytes: fc.nat(10_000),
      random: fc.double({ min: 0, max: 0.99, noNaN: true }),
    });
    fc.assert(
      fc.property(fc.array(piece), fc.nat(500), fc.nat(500), (pieces, latencyMs, jitterMs) => {
        let nowMs = 0;
        let lastMs = 0;
        for (const { gapMs, bytes, random } of pieces) {
          nowMs += gapMs;
          const due = dueMs({ latencyMs, jitterMs }, bytes, nowMs, lastMs, random);
          expect(due).toBeGreaterThanOrEqual(Math.max(lastMs, nowMs + latencyMs));
          lastMs = due;
        }
      }),
    );
  });

  it("is now without faults, and follows the bandwidth with it", () => {
    expect(dueMs(HEALTHY, 100, 5, 0, 0.5)).toBe(5);
    expect(dueMs({ bytesPerSecond: 1000 }, 500, 0, 0, 0)).toBe(500);
    expect(dueMs({ bytesPerSecond: 1000 }, 500, 0, 500, 0)).toBe(1000);
  });
});

describe("flipBits", () => {
  it("flips the same bytes, however the stream is cut into pieces", () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ maxLength: 200 }),
        fc.nat(200),
        fc.integer({ min: 1, max: 50 }),
        (bytes, cut, every) => {
          const whole = Buffer.from(bytes);
          const first = whole.subarray(0, cut);
          const parts = [
            flipBits(first, every, 0),
            flipBits(whole.subarray(cut), every, first.length),
          ];
          expect(Buffer.concat(parts)).toEqual(flipBits(whole, every, 0));
        },
      ),
    );
  });
});
