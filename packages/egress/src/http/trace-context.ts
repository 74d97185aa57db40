/** A W3C trace context that is safe to send on (https://www.w3.org/TR/trace-context/). */
export interface TraceContext {
  readonly traceparent: string;
  /** Empty when absent or malformed. */
  readonly tracestate: string;
}

const TRACEPARENT = /^00-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;
/** Printable ASCII only; the members themselves are the sender's business. */
const TRACESTATE = /^[\x20-\x7e]{1,512}$/;

/** Parsed strictly: a malformed `traceparent` drops both (null), a malformed `tracestate` itself only. */
export function traceContextOf(traceparent: string, tracestate: string): TraceContext | null {
  if (!TRACEPARENT.test(traceparent)) return null;
  return { traceparent, tracestate: TRACESTATE.test(tracestate) ? tracestate.trim() : "" };
}
