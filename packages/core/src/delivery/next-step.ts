import type { InvokeOutcome } from "../ports/invoker.ts";
import { RETRY_AFTER_MAX_MS, retryDelayMs } from "./retry-delay.ts";

/**
 * What to do with a batch after a call. Core decides, the runner obeys.
 *
 * `retry` keeps the batch: the same records again, as a charged attempt. `wait` charges nothing: the function
 * did not see the batch, or asked to be left alone. Later policies (attempt limits, record age, bisect, partial answers, failure
 * destinations) are further members of this union, decided here.
 */
export type Step =
  | { readonly do: "settle" }
  | { readonly do: "retry"; readonly delayMs: number }
  | { readonly do: "wait"; readonly delayMs: number; readonly encodeAnew: boolean };

/** What is known of a batch when a call of it has ended. */
export interface DeliveryState {
  /** Charged attempts that failed, this one not counted. */
  readonly failedAttempts: number;
  /** Waits in a row since the last charged attempt, this one not counted. */
  readonly waits: number;
}

/** The delay while a function's new settings are on their way. */
const STALE_FUNCTION_DELAY_MS = 50;

/** Decides. `random` is uniform in [0, 1). */
export function nextStep(state: DeliveryState, outcome: InvokeOutcome, random: number): Step {
  switch (outcome.kind) {
    case "success":
      return { do: "settle" };
    case "functionError":
    case "timeout":
    case "invalidResponse":
      return { do: "retry", delayMs: retryDelayMs(state.failedAttempts + 1, random) };
    case "connectionLost":
      // A call that may have run has waited out its deadline; whether the function failed is unknown, so it is not charged.
      return { do: "wait", delayMs: retryDelayMs(state.waits + 1, random), encodeAnew: false };
    case "throttled": {
      const asked = Math.min(outcome.retryAfterMs ?? 0, RETRY_AFTER_MAX_MS);
      const delayMs = Math.max(asked, retryDelayMs(state.waits + 1, random));
      return { do: "wait", delayMs, encodeAnew: false };
    }
    case "unreachable":
    case "unknownFunction":
      return { do: "wait", delayMs: retryDelayMs(state.waits + 1, random), encodeAnew: false };
    case "staleFunction":
      return {
        do: "wait",
        delayMs: Math.max(
          STALE_FUNCTION_DELAY_MS,
          state.waits === 0 ? 0 : retryDelayMs(state.waits, random),
        ),
        encodeAnew: true,
      };
  }
}

/** Whether an outcome counts as an attempt of the function (`L-5`, `I-9`). */
export function isCharged(outcome: InvokeOutcome): boolean {
  return (
    outcome.kind === "functionError" ||
    outcome.kind === "timeout" ||
    outcome.kind === "invalidResponse"
  );
}
