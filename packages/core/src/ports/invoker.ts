/**
 * The invoker port: one call of a function with one encoded batch. In process (egress) or over `InvokeStream`.
 */

export type PayloadFormat = "lambdaJson" | "handleRequest";

export interface FunctionCall {
  readonly functionName: string;
  readonly functionRevision: bigint;
  /** Version or alias of the function as the mapping names it; empty when unqualified. */
  readonly qualifier: string;
  readonly format: PayloadFormat;
  /** The encoded batch. The callee never changes it and keeps no reference after the promise settles. */
  readonly payload: Buffer;
  /** Identity of the batch, the same for each attempt. */
  readonly requestId: string;
  readonly mappingId: string;
  /** 1 for the first call. */
  readonly attempt: number;
  /** W3C trace context, empty when tracing is off. */
  readonly traceparent: string;
  readonly tracestate: string;
  readonly recordCount: number;
  /** Total deadline of the call, ms from now. */
  readonly timeoutMs: number;
}

/** How a call ended. Only `functionError`, `timeout` and `invalidResponse` count as an attempt. */
export type InvokeOutcome =
  | { readonly kind: "success" }
  | { readonly kind: "throttled"; readonly retryAfterMs: number | null; readonly message: string }
  | { readonly kind: "functionError"; readonly statusCode: number; readonly message: string }
  | { readonly kind: "timeout"; readonly message: string }
  | { readonly kind: "invalidResponse"; readonly message: string }
  | { readonly kind: "unreachable"; readonly message: string }
  | { readonly kind: "staleFunction"; readonly message: string }
  | { readonly kind: "unknownFunction"; readonly message: string }
  /**
   * The way to the invoker broke. `mayHaveRun` false: the call was not made. True: it may have been; the port has
   * already waited until its deadline passed, so that it can't run beside a new attempt.
   */
  | { readonly kind: "connectionLost"; readonly mayHaveRun: boolean; readonly message: string };

export interface Invoker {
  /** Calls once. Never rejects. */
  invoke(call: FunctionCall): Promise<InvokeOutcome>;
}
