import type { InvokeOutcome } from "@penstock/core";

/** How a call ended, with what only the trial call and the metrics want to know. */
export interface CallResult {
  readonly outcome: InvokeOutcome;
  /** HTTP status or gRPC code of the function's answer; 0 when there was none. */
  readonly statusCode: number;
  /** From the slot to the end of the answer. */
  readonly durationMs: number;
  /** The answer as far as it was read; null unless it was asked for. */
  readonly response: Buffer | null;
}

export function notSent(outcome: InvokeOutcome): CallResult {
  return { outcome, statusCode: 0, durationMs: 0, response: null };
}
