import { type InvokeOutcome, invariant } from "@penstock/core";
import { invoker } from "@penstock/proto";
import type { CallResult } from "../outcome/call-result.ts";
import { WireError, WireReader } from "./wire-reader.ts";
import type { WireWriter } from "./wire-writer.ts";

/** `InvokeStreamResponse` by hand: what ends a call, or opens a stream. */
export interface StreamSettings {
  readonly callsInFlightMax: number;
  readonly invokerId: string;
}

export type StreamResponse =
  | { readonly settings: StreamSettings }
  | { readonly correlationId: number; readonly outcome: InvokeOutcome };

type AnsweredKind = Exclude<InvokeOutcome["kind"], "connectionLost">;

const { OutcomeKind } = invoker;

const KIND_NUMBERS: Readonly<Record<AnsweredKind, invoker.OutcomeKind>> = {
  success: OutcomeKind.SUCCESS,
  throttled: OutcomeKind.THROTTLED,
  functionError: OutcomeKind.FUNCTION_ERROR,
  timeout: OutcomeKind.TIMEOUT,
  unreachable: OutcomeKind.UNREACHABLE,
  invalidResponse: OutcomeKind.INVALID_RESPONSE,
  staleFunction: OutcomeKind.STALE_FUNCTION,
  unknownFunction: OutcomeKind.UNKNOWN_FUNCTION,
};

const KINDS = new Map(
  Object.entries(KIND_NUMBERS).map(([kind, number]) => [number as number, kind as AnsweredKind]),
);
/** Keeps the nested message under the length that the writer reserves for it. */
const MESSAGE_CHARACTERS_MAX = 1000;

/** Number of an outcome's kind in the proto file. */
export function outcomeKindNumber(outcome: InvokeOutcome): invoker.OutcomeKind {
  invariant(outcome.kind !== "connectionLost", "an invoker never answers connectionLost");
  return KIND_NUMBERS[outcome.kind];
}

/** Appends the gRPC frame of the answer to a call. */
export function writeResult(
  writer: WireWriter,
  correlationId: number | bigint,
  result: CallResult,
): void {
  const { outcome } = result;
  const frame = writer.openFrame();
  writer.uint(1, correlationId);
  const nested = writer.open(2);
  writer.uint(1, outcomeKindNumber(outcome));
  if (outcome.kind !== "success") {
    writer.text(2, outcome.message.slice(0, MESSAGE_CHARACTERS_MAX));
  }
  if (outcome.kind === "throttled" && outcome.retryAfterMs !== null) {
    writer.durationMs(3, outcome.retryAfterMs);
  }
  writer.uint(4, result.statusCode);
  writer.durationMs(5, result.durationMs);
  writer.close(nested);
  writer.closeFrame(frame);
}

/** Appends the gRPC frame of the first message of a stream. */
export function writeSettings(writer: WireWriter, settings: StreamSettings): void {
  const frame = writer.openFrame();
  const nested = writer.open(3);
  writer.uint(1, settings.callsInFlightMax);
  writer.text(2, settings.invokerId);
  writer.close(nested);
  writer.closeFrame(frame);
}

/** Throws {@link WireError}. */
export function decodeStreamResponse(message: Buffer): StreamResponse {
  const reader = new WireReader(message);
  let correlationId = 0;
  let outcome: InvokeOutcome | null = null;
  let settings: StreamSettings | null = null;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 0)) correlationId = Number(reader.uint64());
    else if (tag === ((2 << 3) | 2)) outcome = readOutcome(reader.nested());
    else if (tag === ((3 << 3) | 2)) settings = readSettings(reader.nested());
    else reader.skip(tag);
  }
  if (settings !== null) return { settings };
  if (outcome === null) throw new WireError("neither an outcome nor settings");
  return { correlationId, outcome };
}

function readOutcome(reader: WireReader): InvokeOutcome {
  let kindNumber = 0;
  let message = "";
  let retryAfterMs: number | null = null;
  let statusCode = 0;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 0)) kindNumber = reader.uint32();
    else if (tag === ((2 << 3) | 2)) message = reader.text();
    else if (tag === ((3 << 3) | 2)) retryAfterMs = reader.durationMs();
    else if (tag === ((4 << 3) | 0)) statusCode = reader.uint32();
    else reader.skip(tag);
  }
  const kind = KINDS.get(kindNumber);
  switch (kind) {
    case undefined:
      // A newer invoker: whatever it is, the call was answered and it was no success.
      return { kind: "invalidResponse", message: `unknown outcome ${kindNumber}` };
    case "success":
      return { kind };
    case "throttled":
      return { kind, retryAfterMs, message };
    case "functionError":
      return { kind, statusCode, message };
    default:
      return { kind, message };
  }
}

function readSettings(reader: WireReader): StreamSettings {
  let callsInFlightMax = 0;
  let invokerId = "";
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    if (tag === ((1 << 3) | 0)) callsInFlightMax = reader.uint32();
    else if (tag === ((2 << 3) | 2)) invokerId = reader.text();
    else reader.skip(tag);
  }
  return { callsInFlightMax, invokerId };
}
