import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import type { FunctionCall, InvokeOutcome } from "@penstock/core";
import { invoker } from "@penstock/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { GrpcFrameReader } from "../grpc/grpc-frame-reader.ts";
import { decodeStreamRequest, encodeStreamRequestHead } from "./stream-request.ts";
import { decodeStreamResponse, writeResult, writeSettings } from "./stream-response.ts";
import { WireError } from "./wire-reader.ts";
import { WireWriter } from "./wire-writer.ts";

const uint32 = fc.nat(0xffffffff);
const text = fc.oneof(fc.string(), fc.string({ unit: "binary" }), fc.string({ maxLength: 300 }));

const callOf: fc.Arbitrary<FunctionCall> = fc.record({
  functionName: text,
  functionRevision: fc.bigInt(0n, (1n << 64n) - 1n),
  qualifier: text,
  format: fc.constantFrom("lambdaJson" as const, "handleRequest" as const),
  payload: fc.uint8Array({ maxLength: 500 }).map((bytes) => Buffer.from(bytes)),
  requestId: text,
  mappingId: text,
  attempt: uint32,
  traceparent: text,
  tracestate: text,
  recordCount: uint32,
  timeoutMs: uint32,
});

function frameOf(correlationId: number, call: FunctionCall): Buffer {
  return Buffer.concat([encodeStreamRequestHead(correlationId, call), call.payload]);
}

function messagesOf(bytes: Buffer): Buffer[] {
  const messages: Buffer[] = [];
  const reader = new GrpcFrameReader(1 << 20, (message) => messages.push(Buffer.from(message)));
  expect(reader.push(bytes)).toBeNull();
  expect(reader.isBetweenMessages).toBe(true);
  return messages;
}

describe("stream request", () => {
  it("is read by the generated code as it was written", () => {
    fc.assert(
      fc.property(fc.nat(Number.MAX_SAFE_INTEGER), callOf, (correlationId, call) => {
        const [message] = messagesOf(frameOf(correlationId, call));
        const read = fromBinary(invoker.InvokeStreamRequestSchema, message ?? Buffer.alloc(0));
        expect(read.correlationId).toBe(BigInt(correlationId));
        expect(read.functionRevision).toBe(call.functionRevision);
        expect(read.attempt).toBe(call.attempt);
        expect(read.recordCount).toBe(call.recordCount);
        expect(read.timeoutMs).toBe(call.timeoutMs);
        expect(Buffer.from(read.payload).equals(call.payload)).toBe(true);
        // Lone surrogates become U+FFFD on any wire.
        expect(read.functionName).toBe(call.functionName.toWellFormed());
        expect(read.traceparent).toBe(call.traceparent.toWellFormed());
        expect(read.payloadFormat).toBe(call.format === "lambdaJson" ? 1 : 2);
      }),
    );
  });

  it("reads what the generated code writes, unknown fields included", () => {
    fc.assert(
      fc.property(fc.bigInt(0n, (1n << 64n) - 1n), callOf, (correlationId, call) => {
        const wellFormed = {
          functionName: call.functionName.toWellFormed(),
          qualifier: call.qualifier.toWellFormed(),
          requestId: call.requestId.toWellFormed(),
          mappingId: call.mappingId.toWellFormed(),
          traceparent: call.traceparent.toWellFormed(),
          tracestate: call.tracestate.toWellFormed(),
        };
        const bytes = toBinary(
          invoker.InvokeStreamRequestSchema,
          create(invoker.InvokeStreamRequestSchema, {
            ...call,
            ...wellFormed,
            correlationId,
            payloadFormat: call.format === "lambdaJson" ? 1 : 2,
          }),
        );
        // Fields 100 (varint) and 101 (bytes) of a later version.
        const unknown = Buffer.from([0xa0, 0x06, 0x96, 0x01, 0xaa, 0x06, 0x02, 0x41, 0x42]);
        const read = decodeStreamRequest(Buffer.concat([unknown, bytes, unknown]));
        expect(BigInt(read.correlationId)).toBe(correlationId);
        expect(read.call).toEqual({ ...call, ...wellFormed });
      }),
    );
  });

  it("refuses any other bytes with WireError and nothing else", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 60 }), (bytes) => {
        try {
          decodeStreamRequest(Buffer.from(bytes));
        } catch (error) {
          expect(error).toBeInstanceOf(WireError);
        }
      }),
    );
  });

  it("the payload is a view of the message", () => {
    const call = fc.sample(callOf, 1)[0];
    if (call === undefined) throw new Error("no sample");
    const payload = Buffer.from("payload");
    const [message] = messagesOf(frameOf(1, { ...call, payload }));
    const read = decodeStreamRequest(message ?? Buffer.alloc(0));
    expect(read.call.payload.buffer).toBe(message?.buffer);
  });
});

const outcomes: fc.Arbitrary<InvokeOutcome> = fc.oneof(
  fc.constant({ kind: "success" as const }),
  fc.record({
    kind: fc.constant("throttled" as const),
    retryAfterMs: fc.option(fc.nat(300_000)),
    message: fc.string(),
  }),
  fc.record({
    kind: fc.constant("functionError" as const),
    statusCode: fc.nat(599),
    message: fc.string(),
  }),
  fc.record({
    kind: fc.constantFrom(
      "timeout" as const,
      "unreachable" as const,
      "invalidResponse" as const,
      "staleFunction" as const,
      "unknownFunction" as const,
    ),
    message: fc.string(),
  }),
);

describe("stream response", () => {
  it("arrives as it was sent, and the generated code agrees", () => {
    const writer = new WireWriter(16);
    fc.assert(
      fc.property(uint32, outcomes, fc.nat(900_000), (correlationId, outcome, durationMs) => {
        const statusCode = outcome.kind === "functionError" ? outcome.statusCode : 0;
        writeResult(writer, correlationId, { outcome, statusCode, durationMs, response: null });
        const [message = Buffer.alloc(0)] = messagesOf(writer.take());
        expect(decodeStreamResponse(message)).toEqual({ correlationId, outcome });
        const read = fromBinary(invoker.InvokeStreamResponseSchema, message);
        expect(read.correlationId).toBe(BigInt(correlationId));
        expect(read.outcome?.duration?.seconds).toBe(BigInt(Math.floor(durationMs / 1000)));
        expect(read.outcome?.statusCode).toBe(statusCode);
        const again = Buffer.from(toBinary(invoker.InvokeStreamResponseSchema, read));
        expect(decodeStreamResponse(again)).toEqual({ correlationId, outcome });
      }),
    );
  });

  it("settings arrive as they were sent", () => {
    const writer = new WireWriter();
    const settings = { callsInFlightMax: 1024, invokerId: "an-id" };
    writeSettings(writer, settings);
    const [message = Buffer.alloc(0)] = messagesOf(writer.take());
    expect(decodeStreamResponse(message)).toEqual({ settings });
    expect(fromBinary(invoker.InvokeStreamResponseSchema, message).settings).toMatchObject(
      settings,
    );
  });
});

describe("GrpcFrameReader", () => {
  it("gives the same messages however the bytes are cut", () => {
    const cuts = fc.array(fc.nat(40), { maxLength: 60 });
    const messages = fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 8 });
    fc.assert(
      fc.property(messages, cuts, (sent, sizes) => {
        const frames = sent.flatMap((message) => {
          const head = Buffer.alloc(5);
          head.writeUInt32BE(message.length, 1);
          return [head, Buffer.from(message)];
        });
        const bytes = Buffer.concat(frames);
        const got: string[] = [];
        const reader = new GrpcFrameReader(1000, (message) => got.push(message.toString("hex")));
        let at = 0;
        for (const size of [...sizes, bytes.length]) {
          expect(reader.push(bytes.subarray(at, at + size))).toBeNull();
          at = Math.min(bytes.length, at + size);
        }
        expect(got).toEqual(sent.map((message) => Buffer.from(message).toString("hex")));
        expect(reader.isBetweenMessages).toBe(true);
      }),
    );
  });

  it("S-06: a length over the limit is refused before anything is allocated", () => {
    const reader = new GrpcFrameReader(10, () => expect.unreachable());
    expect(reader.push(Buffer.from([0, 0xff, 0xff, 0xff, 0xff]))).toBe("tooLarge");
    expect(reader.push(Buffer.alloc(100))).toBe("tooLarge");
  });

  it("S-18: a compressed message is refused", () => {
    const reader = new GrpcFrameReader(10, () => expect.unreachable());
    expect(reader.push(Buffer.from([1, 0, 0, 0, 1, 0]))).toBe("compressed");
  });
});
