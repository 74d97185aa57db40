/**
 * W3C trace context (https://www.w3.org/TR/trace-context-1/), read strictly: what breaks the grammar in any way is no context at all, so
 * that nothing of a record's headers reaches a function or a collector unchecked (S-09).
 */
import { createTraceState, isSpanContextValid, type SpanContext } from "@opentelemetry/api";

const TRACEPARENT = /^([0-9a-f]{2})-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?$/;
const TRACEPARENT_LENGTH_MAX = 512;
const TRACESTATE_LENGTH_MAX = 512;
const TRACESTATE_MEMBERS_MAX = 32;
const MEMBER =
  /^(?:[a-z][_0-9a-z*/-]{0,255}|[a-z0-9][_0-9a-z*/-]{0,240}@[a-z][_0-9a-z*/-]{0,13})=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;

/** The context that the two headers carry; null when `traceparent` isn't valid. An invalid `tracestate` is dropped alone. */
export function parseTraceContext(traceparent: string, tracestate = ""): SpanContext | null {
  if (traceparent.length > TRACEPARENT_LENGTH_MAX) return null;
  const [, version, traceId, spanId, flags, rest] = TRACEPARENT.exec(traceparent) ?? [];
  if (version === undefined || traceId === undefined || spanId === undefined) return null;
  // Version 00 ends after the flags; later ones may go on; ff is forbidden.
  if (version === "ff" || (version === "00" && rest !== undefined)) return null;
  const context: SpanContext = {
    traceId,
    spanId,
    // Only the sampled bit is defined.
    traceFlags: Number.parseInt(flags ?? "00", 16) & 1,
    isRemote: true,
  };
  if (!isSpanContextValid(context)) return null;
  const state = parseTracestate(tracestate);
  return state === "" ? context : { ...context, traceState: createTraceState(state) };
}

/** The list as given, without blanks around its members; empty when it breaks the grammar or a limit. */
export function parseTracestate(tracestate: string): string {
  if (tracestate === "" || tracestate.length > TRACESTATE_LENGTH_MAX) return "";
  const members = tracestate
    .split(",")
    .map((member) => member.replace(/^[ \t]+|[ \t]+$/g, ""))
    .filter((member) => member !== "");
  const keys = new Set(members.map((member) => member.slice(0, member.indexOf("="))));
  const isValid =
    members.length <= TRACESTATE_MEMBERS_MAX &&
    keys.size === members.length &&
    members.every((member) => MEMBER.test(member));
  return isValid ? members.join(",") : "";
}

/** `traceparent` of a context; empty when it isn't valid. */
export function formatTraceparent(context: SpanContext): string {
  if (!isSpanContextValid(context)) return "";
  const flags = (context.traceFlags & 1).toString(16).padStart(2, "0");
  return `00-${context.traceId}-${context.spanId}-${flags}`;
}
