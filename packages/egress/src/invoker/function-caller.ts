import type { FunctionCall } from "@penstock/core";
import type { CallResult } from "../outcome/call-result.ts";

/** One target's way of being called: HTTP or gRPC. Holds no state of a call once its `done` was called. */
export interface FunctionCaller {
  /** Calls once. `done` is called exactly once, possibly before `start` returns. */
  start(call: FunctionCall, terms: CallTerms, done: (result: CallResult) => void): void;
  /** Lets go of what the target holds. Calls in flight go on to their end. */
  close(): void;
}

export interface CallTerms {
  /** Total deadline of the exchange, ms from now: look-up, connection, request and the last byte of the answer. */
  readonly timeoutMs: number;
  readonly answerBytesMax: number;
  /** Keep the answer, for a trial call. */
  readonly isCaptured: boolean;
  /**
   * Asked immediately before the first byte of the request leaves. False: the call must not be made any more (a pause
   * of the process, a caller that is gone), and ends as throttled.
   */
  maySend(): boolean;
}
