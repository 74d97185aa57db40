import { type Link, SpanKind, SpanStatusCode } from "@opentelemetry/api";
import { HeaderCursor, type QueueSlice } from "@penstock/core";
import {
  formatTraceparent,
  parseTraceContext,
  SPAN_ATTRIBUTES,
  type Telemetry,
} from "@penstock/runtime";
import { type BatchTracer, NO_TRACER } from "../event-poller/batch-tracer.ts";
import type { Batch } from "../lane/batch.ts";

/** Records of a batch whose trace contexts become links; the others are only counted. */
const LINKS_MAX = 64;
/** Longer trace headers are not looked at. */
const HEADER_BYTES_MAX = 512;

/**
 * One span for each call, linked to the W3C contexts that records carry in their headers, and handed on to the function. Off
 * without a collector: headers are then not even read.
 */
export function createBatchTracer({ tracer, isTracing }: Telemetry): BatchTracer {
  if (!isTracing) return NO_TRACER;
  return {
    start(batch, attempt) {
      const topic = batch.parts[0]?.lane.assignment.topic ?? "";
      const span = tracer.startSpan(`process ${topic}`, {
        kind: SpanKind.CONSUMER,
        links: linksOf(batch),
        attributes: {
          [SPAN_ATTRIBUTES.system.name]: "kafka",
          [SPAN_ATTRIBUTES.operation.name]: "process",
          [SPAN_ATTRIBUTES.destination.name]: topic,
          [SPAN_ATTRIBUTES.recordCount.name]: batch.recordCount,
          [SPAN_ATTRIBUTES.requestId.name]: batch.requestId,
          [SPAN_ATTRIBUTES.attempt.name]: attempt,
        },
      });
      const context = span.spanContext();
      return {
        traceparent: formatTraceparent(context),
        tracestate: context.traceState?.serialize() ?? "",
        end(outcome, message) {
          span.setAttribute(SPAN_ATTRIBUTES.outcome.name, outcome);
          if (outcome !== "success") span.setStatus({ code: SpanStatusCode.ERROR, message });
          span.end();
        },
      };
    },
  };
}

function linksOf(batch: Batch): Link[] {
  const links: Link[] = [];
  for (const { slices } of batch.parts) {
    for (const slice of slices) {
      if (!addLinks(slice, links)) return links;
    }
  }
  return links;
}

/** False when there are enough. */
function addLinks({ entry, from, to }: QueueSlice, links: Link[]): boolean {
  for (let at = from; at < to; at++) {
    if (links.length >= LINKS_MAX) return false;
    const row = entry.selection === null ? at : (entry.selection[at] as number);
    let traceparent = "";
    let tracestate = "";
    cursor.open(entry.batch, row);
    while (cursor.next()) {
      if (cursor.valueTo - cursor.valueFrom > HEADER_BYTES_MAX) continue;
      const name = cursor.buffer.toString("latin1", cursor.nameFrom, cursor.nameTo);
      if (name === "traceparent") traceparent = headerValue(cursor);
      else if (name === "tracestate") tracestate = headerValue(cursor);
    }
    const context = traceparent === "" ? null : parseTraceContext(traceparent, tracestate);
    if (context !== null) links.push({ context });
  }
  return true;
}

const cursor = new HeaderCursor();

function headerValue({ buffer, valueFrom, valueTo }: HeaderCursor): string {
  return valueTo < 0 ? "" : buffer.toString("latin1", valueFrom, valueTo);
}
