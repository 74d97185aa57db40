import type { FunctionCall, PayloadFormat } from "@penstock/core";
import { WireError, WireReader } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

/**
 * `InvokeStreamRequest` by hand: the head is written in front of the payload, which is neither copied nor looked at.
 * Equal to the generated code on every message (stream-codec.test.ts).
 */
export interface StreamRequest {
  readonly correlationId: number | bigint;
  readonly call: FunctionCall;
}

/** PayloadFormat of the proto file. */
const LAMBDA_JSON = 1;
const HANDLE_REQUEST = 2;
const PAYLOAD_FIELD = 15;

const writer = new WireWriter();

/** The gRPC frame of a request up to its payload, which is to be sent right after it. */
export function encodeStreamRequestHead(correlationId: number, call: FunctionCall): Buffer {
  writer.reset();
  const frame = writer.openFrame();
  writer.uint(1, correlationId);
  writer.text(2, call.functionName);
  writer.uint(3, call.functionRevision);
  writer.text(4, call.qualifier);
  writer.uint(5, call.format === "lambdaJson" ? LAMBDA_JSON : HANDLE_REQUEST);
  writer.text(6, call.requestId);
  writer.text(7, call.mappingId);
  writer.uint(8, call.attempt);
  writer.text(9, call.traceparent);
  writer.text(10, call.tracestate);
  writer.uint(11, call.recordCount);
  writer.uint(12, Math.ceil(call.timeoutMs));
  if (call.payload.length > 0) writer.bytesHead(PAYLOAD_FIELD, call.payload.length);
  writer.closeFrame(frame, call.payload.length);
  return writer.take();
}

/** Throws {@link WireError}. The payload is a view of `message`. */
export function decodeStreamRequest(message: Buffer): StreamRequest {
  const reader = new WireReader(message);
  let correlationId: number | bigint = 0;
  let functionName = "";
  let functionRevision = 0n;
  let qualifier = "";
  let format: PayloadFormat | null = null;
  let requestId = "";
  let mappingId = "";
  let attempt = 0;
  let traceparent = "";
  let tracestate = "";
  let recordCount = 0;
  let timeoutMs = 0;
  let payload = EMPTY;
  while (!reader.isAtEnd) {
    const tag = reader.tag();
    switch (tag) {
      case (1 << 3) | 0:
        correlationId = reader.uint64();
        break;
      case (2 << 3) | 2:
        functionName = reader.text();
        break;
      case (3 << 3) | 0:
        functionRevision = BigInt(reader.uint64());
        break;
      case (4 << 3) | 2:
        qualifier = reader.text();
        break;
      case (5 << 3) | 0:
        format = formatOf(reader.uint32());
        break;
      case (6 << 3) | 2:
        requestId = reader.text();
        break;
      case (7 << 3) | 2:
        mappingId = reader.text();
        break;
      case (8 << 3) | 0:
        attempt = reader.uint32();
        break;
      case (9 << 3) | 2:
        traceparent = reader.text();
        break;
      case (10 << 3) | 2:
        tracestate = reader.text();
        break;
      case (11 << 3) | 0:
        recordCount = reader.uint32();
        break;
      case (12 << 3) | 0:
        timeoutMs = reader.uint32();
        break;
      case (PAYLOAD_FIELD << 3) | 2:
        payload = reader.bytes();
        break;
      default:
        reader.skip(tag);
    }
  }
  if (format === null) throw new WireError("payload_format is not set");
  return {
    correlationId,
    call: {
      functionName,
      functionRevision,
      qualifier,
      format,
      payload,
      requestId,
      mappingId,
      attempt,
      traceparent,
      tracestate,
      recordCount,
      timeoutMs,
    },
  };
}

const EMPTY: Buffer = Buffer.alloc(0);

function formatOf(value: number): PayloadFormat | null {
  if (value === LAMBDA_JSON) return "lambdaJson";
  return value === HANDLE_REQUEST ? "handleRequest" : null;
}
