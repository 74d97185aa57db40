import type { Batch } from "../lane/batch.ts";

/** One span for each call, linked to the trace contexts of its records. */
export interface BatchTracer {
  start(batch: Batch, attempt: number): BatchSpan;
}

export interface BatchSpan {
  /** W3C headers for the function; empty when tracing is off. */
  readonly traceparent: string;
  readonly tracestate: string;
  end(outcome: string, message: string): void;
}

const NO_SPAN: BatchSpan = { traceparent: "", tracestate: "", end() {} };

/** Tracing is off. */
export const NO_TRACER: BatchTracer = { start: () => NO_SPAN };
