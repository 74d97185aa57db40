import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import { type Duration, DurationSchema } from "@bufbuild/protobuf/wkt";
import type { HandlerContext } from "@connectrpc/connect";
import { type FunctionCall, PenstockError, payloadFormatOf } from "@penstock/core";
import { type CallResult, type InvokerCore, outcomeKindNumber } from "@penstock/egress";
import { invoker } from "@penstock/proto";
import { noteResource } from "@penstock/runtime";

/** `Invoke`: the trial call. Errors of the request are thrown; what became of the call is always an answer. */
export async function handleInvoke(
  core: InvokerCore,
  request: invoker.InvokeRequest,
  context: Pick<HandlerContext, "values">,
): Promise<invoker.InvokeResponse> {
  noteResource(context, request.functionName);
  const spec = core.invoker.get(request.functionName);
  if (spec === undefined) {
    throw core.hasFunctions
      ? new PenstockError("notFound", `No function is named "${request.functionName}".`)
      : new PenstockError(
          "unavailable",
          "This invoker has no functions from the mapping service yet. Try again in a second.",
        );
  }
  const payload = request.payload;
  if (payload.length > spec.payloadBytesMax) {
    throw new PenstockError(
      "invalidArgument",
      `The payload has ${payload.length} bytes, the function takes at most ${spec.payloadBytesMax}.`,
      { violations: [{ field: "payload", description: `at most ${spec.payloadBytesMax} bytes` }] },
    );
  }
  const call: FunctionCall = {
    functionName: spec.name,
    functionRevision: spec.revision,
    qualifier: "",
    format: payloadFormatOf(spec.target),
    payload: Buffer.from(payload.buffer, payload.byteOffset, payload.length),
    requestId: randomUUID(),
    mappingId: "",
    attempt: 1,
    traceparent: "",
    tracestate: "",
    recordCount: 0,
    timeoutMs: timeoutOf(request, spec.timeoutMs),
  };
  return responseOf(await core.invoker.invokeCaptured(call));
}

function timeoutOf(request: invoker.InvokeRequest, functionTimeoutMs: number): number {
  if (request.timeout === undefined) return functionTimeoutMs;
  const timeoutMs = Number(request.timeout.seconds) * 1000 + request.timeout.nanos / 1e6;
  if (timeoutMs < 1) {
    throw new PenstockError("invalidArgument", "The timeout must be at least 1 ms.", {
      violations: [{ field: "timeout", description: "at least 1 ms" }],
    });
  }
  return Math.min(timeoutMs, functionTimeoutMs);
}

function responseOf(result: CallResult): invoker.InvokeResponse {
  const { outcome } = result;
  const duration = durationOf(result.durationMs);
  return create(invoker.InvokeResponseSchema, {
    outcome: create(invoker.OutcomeSchema, {
      kind: outcomeKindNumber(outcome),
      message: outcome.kind === "success" ? "" : outcome.message,
      ...(outcome.kind === "throttled" && outcome.retryAfterMs !== null
        ? { retryAfter: durationOf(outcome.retryAfterMs) }
        : {}),
      statusCode: result.statusCode,
      duration,
    }),
    responsePayload: result.response ?? new Uint8Array(),
    duration,
  });
}

function durationOf(ms: number): Duration {
  const micros = Math.round(ms * 1000);
  return create(DurationSchema, {
    seconds: BigInt(Math.floor(micros / 1_000_000)),
    nanos: (micros % 1_000_000) * 1000,
  });
}
