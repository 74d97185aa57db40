import type { ClientHttp2Stream, IncomingHttpHeaders } from "node:http2";
import { fromBinary } from "@bufbuild/protobuf";
import { type Clock, type InvokeOutcome, PenstockError } from "@penstock/core";
import { fn } from "@penstock/proto";
import type { CallTerms } from "../invoker/function-caller.ts";
import type { CallResult } from "../outcome/call-result.ts";
import { classifyGrpcAnswer, classifyGrpcBreak } from "../outcome/grpc-outcome.ts";
import { classifyHttpHead } from "../outcome/http-outcome.ts";
import type { SessionSeeker } from "./grpc-channels.ts";
import { FRAME_HEAD_BYTES, GrpcFrameReader } from "./grpc-frame-reader.ts";
import { CANCEL, type GrpcSession } from "./grpc-session.ts";

/**
 * One unary gRPC call with a payload that is already encoded, under one timer.
 *
 *   seeking a connection ──▶ sent ──▶ (head, message) ──▶ trailers ──▶ done
 *
 * Written on HTTP/2 itself rather than through a client library because the outcome depends on what such a library hides: whether
 * a failure was answered by the function's server or made up on this side, and whether the request had left.
 */
export class GrpcExchange implements SessionSeeker {
  readonly #clock: Clock;
  readonly #terms: CallTerms;
  readonly #headers: Record<string, string>;
  readonly #payload: Buffer;
  readonly #done: (result: CallResult) => void;
  readonly #startedAtMs: number;
  readonly #timer: NodeJS.Timeout;
  readonly #messages: Buffer[] = [];
  #session: GrpcSession | null = null;
  #stream: ClientHttp2Stream | null = null;
  #trailers: IncomingHttpHeaders | null = null;
  #statusCode = 0;
  #verdict: InvokeOutcome | null = null;
  isDone = false;

  constructor(
    clock: Clock,
    terms: CallTerms,
    request: { headers: Record<string, string>; payload: Buffer },
    done: (result: CallResult) => void,
  ) {
    this.#clock = clock;
    this.#terms = terms;
    this.#headers = request.headers;
    this.#payload = request.payload;
    this.#done = done;
    this.#startedAtMs = clock.nowMs();
    this.#timer = setTimeout(onDeadline, terms.timeoutMs, this);
  }

  failed(error: Error): void {
    if (error instanceof PenstockError) this.#end({ kind: "unreachable", message: error.message });
    else this.#end(classifyGrpcBreak({ isSent: false, resetCode: 0, code: codeOf(error) }));
  }

  found(session: GrpcSession): void {
    if (this.isDone) return;
    if (!this.#terms.maySend()) {
      const message = "the invoker was paused, or its caller is gone: the call was not made";
      this.#end({ kind: "throttled", retryAfterMs: null, message });
      return;
    }
    const leftMs = Math.max(1, Math.floor(this.#terms.timeoutMs - this.#elapsedMs()));
    this.#headers["grpc-timeout"] = `${leftMs}m`;
    const stream = session.request(this.#headers);
    this.#session = session;
    this.#stream = stream;
    this.#listen(stream);
    const head = Buffer.alloc(FRAME_HEAD_BYTES);
    head.writeUInt32BE(this.#payload.length, 1);
    stream.cork();
    stream.write(head);
    stream.end(this.#payload);
    stream.uncork();
  }

  deadlinePassed(): void {
    if (this.#stream === null) {
      this.#end({
        kind: "unreachable",
        message: "no connection to the function within the deadline",
      });
      return;
    }
    this.#end(this.#verdict ?? this.#timeout());
    this.#stream.close(CANCEL);
    this.#session?.probe();
  }

  #listen(stream: ClientHttp2Stream): void {
    const reader = new GrpcFrameReader(this.#terms.answerBytesMax, (message) => {
      this.#messages.push(message);
    });
    let failure = "";
    let bytes = 0;
    stream.on("response", (headers) => this.#head(headers));
    stream.on("trailers", (trailers) => {
      this.#trailers = trailers;
    });
    stream.on("data", (chunk: Buffer) => {
      if (this.isDone) return;
      bytes += chunk.length;
      const problem =
        bytes > this.#terms.answerBytesMax + FRAME_HEAD_BYTES ? "tooLarge" : reader.push(chunk);
      if (problem !== null) this.#broken(stream, problem);
    });
    stream.on("error", (error) => {
      failure = codeOf(error);
    });
    stream.on("close", () => {
      if (this.isDone) return;
      if (this.#trailers !== null) this.#answered(this.#trailers, reader.isBetweenMessages);
      else this.#end(this.#verdict ?? this.#breakOf(stream, failure));
    });
  }

  #head(headers: IncomingHttpHeaders): void {
    const status = Number(headers[":status"]);
    if (status !== 200) {
      // Not a gRPC answer: a proxy, or an HTTP server.
      this.#statusCode = status;
      const head = { status, functionError: undefined, contentEncoding: undefined };
      const retryAfter = headers["retry-after"];
      this.#verdict = classifyHttpHead({ ...head, retryAfter }, this.#clock.wallMs()) ?? {
        kind: "invalidResponse",
        message: `the answer has HTTP status ${status}, gRPC answers have 200`,
      };
      return;
    }
    if (!(headers["content-type"] ?? "").startsWith("application/grpc")) {
      this.#verdict = { kind: "invalidResponse", message: "the answer is not gRPC" };
    } else if (headers["grpc-status"] !== undefined) {
      this.#trailers = headers;
    }
  }

  #answered(trailers: IncomingHttpHeaders, isWhole: boolean): void {
    if (this.#verdict !== null) {
      this.#end(this.#verdict);
      return;
    }
    const status = String(trailers["grpc-status"] ?? "");
    this.#statusCode = /^\d{1,3}$/.test(status) ? Number(status) : 0;
    const pushback = trailers["grpc-retry-pushback-ms"];
    const outcome = classifyGrpcAnswer({
      status,
      message: String(trailers["grpc-message"] ?? ""),
      pushback: pushback === undefined ? undefined : String(pushback),
      payloadBytes: this.#payload.length,
    });
    if (outcome !== null) this.#end(outcome);
    else if (this.#elapsedMs() > this.#terms.timeoutMs) this.#end(this.#timeout());
    else this.#end(this.#successOrInvalid(isWhole));
  }

  #successOrInvalid(isWhole: boolean): InvokeOutcome {
    const [message] = this.#messages;
    if (!isWhole || message === undefined || this.#messages.length !== 1) {
      return { kind: "invalidResponse", message: "the answer is OK without exactly one message" };
    }
    if (message.length > 0) {
      try {
        fromBinary(fn.HandleResponseSchema, message);
      } catch {
        // Says all there is to say; the bytes stay out of it.
        return { kind: "invalidResponse", message: "the answer is not a HandleResponse" };
      }
    }
    return { kind: "success" };
  }

  #broken(stream: ClientHttp2Stream, problem: "tooLarge" | "compressed"): void {
    const message =
      problem === "tooLarge"
        ? `the answer exceeds ${this.#terms.answerBytesMax} bytes`
        : "the answer is compressed although the request accepts identity only";
    this.#end(this.#verdict ?? { kind: "invalidResponse", message });
    stream.close(CANCEL);
  }

  #breakOf(stream: ClientHttp2Stream, code: string): InvokeOutcome {
    return classifyGrpcBreak({ isSent: true, resetCode: stream.rstCode, code });
  }

  #timeout(): InvokeOutcome {
    return {
      kind: "timeout",
      message: `no complete answer within ${this.#terms.timeoutMs} ms`,
    };
  }

  #end(outcome: InvokeOutcome): void {
    if (this.isDone) return;
    this.isDone = true;
    clearTimeout(this.#timer);
    this.#done({
      outcome,
      statusCode: this.#statusCode,
      durationMs: this.#elapsedMs(),
      response: this.#terms.isCaptured ? Buffer.concat(this.#messages) : null,
    });
  }

  #elapsedMs(): number {
    return this.#clock.nowMs() - this.#startedAtMs;
  }
}

function onDeadline(exchange: GrpcExchange): void {
  exchange.deadlinePassed();
}

function codeOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : "";
}
