import type { FunctionCall, FunctionTarget } from "@penstock/core";
import { traceContextOf } from "./trace-context.ts";

/**
 * An HTTP function, prepared once for each revision: origin, path, and the headers that never change.
 *
 * Nothing that comes from a Kafka record becomes a header: only ids of Penstock, checked here, and the function's own headers.
 */
export interface HttpTarget {
  readonly origin: string;
  readonly path: string;
  /** Names and values in turn. */
  readonly headers: readonly string[];
}

/** Set by Penstock or by HTTP itself; a function's own headers never replace them. */
const RESERVED_HEADERS = new Set([
  "host",
  "connection",
  "keep-alive",
  "proxy-connection",
  "proxy-authorization",
  "transfer-encoding",
  "te",
  "trailer",
  "upgrade",
  "expect",
  "content-length",
  "content-type",
  "content-encoding",
  "accept-encoding",
  "traceparent",
  "tracestate",
]);

export function httpTargetOf(target: Extract<FunctionTarget, { kind: "http" }>): HttpTarget {
  const url = new URL(target.url);
  const headers = [
    "content-type",
    "application/json",
    "accept-encoding",
    "identity",
    "user-agent",
    "penstock",
  ];
  for (const [name, value] of Object.entries(target.headers)) {
    const lower = name.toLowerCase();
    if (RESERVED_HEADERS.has(lower) || lower.startsWith("penstock-")) continue;
    if (lower === "user-agent") headers[5] = value;
    else headers.push(lower, value);
  }
  return { origin: url.origin, path: `${url.pathname}${url.search}`, headers };
}

/** Ids as Penstock makes them, and names as its API accepts them. */
const ID = /^[A-Za-z0-9$._:-]{1,200}$/;

/** All headers of one call. `deadlineWallMs`: Unix time at which the call is given up. */
export function headersOfCall(
  target: HttpTarget,
  call: FunctionCall,
  deadlineWallMs: number,
): string[] {
  const headers = target.headers.slice();
  appendMetadata(headers, call, deadlineWallMs);
  return headers;
}

/** What tells a function about the call, as names and values in turn: HTTP headers and gRPC metadata alike. */
export function metadataOfCall(call: FunctionCall, deadlineWallMs: number): string[] {
  const metadata: string[] = [];
  appendMetadata(metadata, call, deadlineWallMs);
  return metadata;
}

function appendMetadata(headers: string[], call: FunctionCall, deadlineWallMs: number): void {
  if (ID.test(call.requestId)) headers.push("penstock-request-id", call.requestId);
  if (ID.test(call.mappingId)) headers.push("penstock-mapping-id", call.mappingId);
  headers.push("penstock-attempt", String(call.attempt >>> 0));
  headers.push("penstock-deadline-ms", String(Math.round(deadlineWallMs)));
  if (call.qualifier !== "" && ID.test(call.qualifier)) {
    headers.push("penstock-function-qualifier", call.qualifier);
  }
  if (call.traceparent === "") return;
  const trace = traceContextOf(call.traceparent, call.tracestate);
  if (trace === null) return;
  headers.push("traceparent", trace.traceparent);
  if (trace.tracestate !== "") headers.push("tracestate", trace.tracestate);
}
