import { describe, expect, it } from "vitest";
import type { InvokeOutcome } from "../ports/invoker.ts";
import { isCharged, nextStep } from "./next-step.ts";
import {
  RETRY_AFTER_MAX_MS,
  RETRY_DELAY_MAX_MS,
  RETRY_DELAY_MIN_MS,
  retryDelayMs,
} from "./retry-delay.ts";

const FIRST = { failedAttempts: 0, waits: 0 };
const message = "m";

describe("nextStep", () => {
  it("settles a success", () => {
    expect(nextStep(FIRST, { kind: "success" }, 0)).toEqual({ do: "settle" });
  });

  it.each<InvokeOutcome>([
    { kind: "functionError", statusCode: 500, message },
    { kind: "timeout", message },
    { kind: "invalidResponse", message },
  ])("charges $kind and retries the same batch", (outcome) => {
    expect(isCharged(outcome)).toBe(true);
    expect(nextStep(FIRST, outcome, 0).do).toBe("retry");
    expect(nextStep({ failedAttempts: 1_000_000, waits: 0 }, outcome, 0.5).do).toBe("retry");
  });

  it.each<InvokeOutcome>([
    { kind: "throttled", retryAfterMs: null, message },
    { kind: "unreachable", message },
    { kind: "unknownFunction", message },
    { kind: "staleFunction", message },
    { kind: "connectionLost", mayHaveRun: true, message },
    { kind: "connectionLost", mayHaveRun: false, message },
  ])("I-9, F45: $kind costs no attempt", (outcome) => {
    expect(isCharged(outcome)).toBe(false);
    expect(nextStep(FIRST, outcome, 0).do).toBe("wait");
  });

  it("F45: waits as long as the function asked, but never longer than the cap", () => {
    const asked = (retryAfterMs: number) =>
      nextStep(FIRST, { kind: "throttled", retryAfterMs, message }, 0);
    expect(asked(7000)).toMatchObject({ delayMs: 7000 });
    expect(asked(1e12)).toMatchObject({ delayMs: RETRY_AFTER_MAX_MS });
    expect(asked(0)).toMatchObject({ delayMs: RETRY_DELAY_MIN_MS });
  });

  it("encodes anew when the function changed", () => {
    expect(nextStep(FIRST, { kind: "staleFunction", message }, 0)).toMatchObject({
      encodeAnew: true,
    });
  });
});

describe("retryDelayMs", () => {
  it("L-5: grows from 100 ms to 60 s with jitter over half of it, and stays there", () => {
    expect(retryDelayMs(1, 0)).toBe(RETRY_DELAY_MIN_MS);
    expect(retryDelayMs(1, 0.999)).toBeLessThan(200);
    for (let failures = 1; failures < 60; failures++) {
      const low = retryDelayMs(failures, 0);
      const high = retryDelayMs(failures, 0.999999);
      expect(low).toBeGreaterThanOrEqual(RETRY_DELAY_MIN_MS);
      expect(high).toBeLessThanOrEqual(RETRY_DELAY_MAX_MS);
      expect(high / low).toBeGreaterThan(1.9);
    }
    expect(retryDelayMs(50, 0)).toBe(RETRY_DELAY_MAX_MS / 2);
  });
});
