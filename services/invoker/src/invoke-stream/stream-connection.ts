import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import { FUNCTION_TIMEOUT_MAX_MS, PAYLOAD_BYTES_MAX } from "@penstock/core";
import {
  type CallResult,
  decodeStreamRequest,
  type FunctionInvoker,
  GrpcFrameReader,
  notSent,
  type StartedCall,
  type StreamRequest,
  type StreamSettings,
  WireError,
  WireWriter,
  writeResult,
  writeSettings,
} from "@penstock/egress";

/**
 * One `InvokeStream`, on the bare HTTP/2 stream: gRPC frames and protobuf by hand, because this is the hot path (bench/parts/invoke-stream.ts).
 *
 *   open ──(peer half-closes)──▶ finishing ──(last answer)──▶ ended OK
 *     └──(bad bytes, slow reader, pause, peer gone)──▶ dead
 *
 * Requests are always read, never held back: what is too much is answered as throttled. So a request is received when it arrives, and
 * what the peer may conclude from an answered PING holds. A dead connection makes no call any more and drops those that wait for a slot.
 */
export interface StreamConnectionOptions {
  readonly invoker: FunctionInvoker;
  readonly settings: StreamSettings;
  /** Called once when nothing more comes of the stream. */
  readonly closed: (connection: StreamConnection) => void;
}

/** gRPC status codes that end a stream. */
const OK = 0;
const INVALID_ARGUMENT = 3;
const RESOURCE_EXHAUSTED = 8;
const UNIMPLEMENTED = 12;

/** The head of a request is ids and names. */
const REQUEST_BYTES_MAX = PAYLOAD_BYTES_MAX + 64 * 1024;
/** Answers that the peer has not read. */
const UNREAD_BYTES_MAX = 4 * 1024 * 1024;

export class StreamConnection {
  readonly #stream: ServerHttp2Stream;
  readonly #options: StreamConnectionOptions;
  readonly #reader: GrpcFrameReader;
  readonly #writer = new WireWriter(4096);
  readonly #calls = new Set<StartedCall>();
  #unanswered = 0;
  #isFlushing = false;
  #isHalfClosed = false;
  #isDead = false;
  #status = OK;
  #statusMessage = "";

  constructor(stream: ServerHttp2Stream, options: StreamConnectionOptions) {
    this.#stream = stream;
    this.#options = options;
    this.#reader = new GrpcFrameReader(REQUEST_BYTES_MAX, (message) => this.#receive(message));
    stream.on("data", (chunk: Buffer) => this.#push(chunk));
    stream.on("end", () => this.#halfClosed());
    stream.on("wantTrailers", () => this.#sendTrailers());
    // "close" follows and says all that matters.
    stream.on("error", () => {});
    stream.on("close", () => this.#die());
    stream.respond(
      { ":status": 200, "content-type": "application/grpc+proto" },
      { waitForTrailers: true },
    );
    writeSettings(this.#writer, options.settings);
    this.#flush();
  }

  /** Calls that were received and not answered. */
  get unanswered(): number {
    return this.#unanswered;
  }

  /** Ends the connection at once and whatever of it was not sent to a function yet. */
  reset(): void {
    this.#die();
    this.#stream.session?.destroy();
  }

  #push(chunk: Buffer): void {
    if (this.#isDead) return;
    // A pause that ends here resets all streams, this one too: what waited in the socket may have been given up.
    this.#options.invoker.pauses.check();
    if (this.#isDead) return;
    const problem = this.#reader.push(chunk);
    if (problem === "compressed") this.#fail(UNIMPLEMENTED, "compressed messages are refused");
    else if (problem === "tooLarge") this.#fail(RESOURCE_EXHAUSTED, "the request is too large");
  }

  #receive(message: Buffer): void {
    if (this.#isDead) return;
    let request: StreamRequest;
    try {
      request = decodeStreamRequest(message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#fail(INVALID_ARGUMENT, error.message);
      return;
    }
    this.#unanswered++;
    if (this.#unanswered > this.#options.settings.callsInFlightMax) {
      this.#answer(request.correlationId, OVER_WINDOW);
    } else {
      this.#start(request);
    }
  }

  #start({ correlationId, call }: StreamRequest): void {
    const timed = call.timeoutMs > 0 ? call : { ...call, timeoutMs: FUNCTION_TIMEOUT_MAX_MS };
    let started: StartedCall | null = null;
    let isEnded = false;
    started = this.#options.invoker.start(timed, (result) => {
      isEnded = true;
      if (started !== null) this.#calls.delete(started);
      this.#answer(correlationId, result);
    });
    if (started !== null && !isEnded) this.#calls.add(started);
  }

  #answer(correlationId: number | bigint, result: CallResult): void {
    this.#unanswered--;
    if (this.#isDead) return;
    writeResult(this.#writer, correlationId, result);
    if (this.#isFlushing) return;
    // Answers of one turn of the loop leave together.
    this.#isFlushing = true;
    setImmediate(() => {
      this.#isFlushing = false;
      this.#flush();
    });
  }

  #flush(): void {
    if (this.#isDead) return;
    if (this.#writer.byteLength > 0) this.#stream.write(this.#writer.take());
    if (this.#stream.writableLength > UNREAD_BYTES_MAX) this.reset();
    else if (this.#isHalfClosed && this.#unanswered === 0) this.#stream.end();
  }

  #halfClosed(): void {
    this.#isHalfClosed = true;
    if (!this.#reader.isBetweenMessages)
      this.#fail(INVALID_ARGUMENT, "the last request is cut short");
    else if (!this.#isFlushing) this.#flush();
  }

  #fail(status: number, message: string): void {
    if (this.#isDead) return;
    this.#status = status;
    this.#statusMessage = message;
    this.#isDead = true;
    this.#abandonCalls();
    this.#stream.end();
  }

  #sendTrailers(): void {
    const trailers: Record<string, string> = { "grpc-status": String(this.#status) };
    if (this.#statusMessage !== "") {
      trailers["grpc-message"] = encodeURIComponent(this.#statusMessage);
    }
    this.#stream.sendTrailers(trailers);
  }

  #die(): void {
    this.#isDead = true;
    this.#abandonCalls();
    this.#options.closed(this);
  }

  #abandonCalls(): void {
    for (const call of [...this.#calls]) call.abandon();
  }
}

const OVER_WINDOW = notSent({
  kind: "throttled",
  retryAfterMs: null,
  message: "more calls on the stream than its settings allow",
});

/** Whether a request for the stream's path speaks gRPC with protobuf. */
export function isGrpcRequest(headers: IncomingHttpHeaders): boolean {
  const type = headers["content-type"] ?? "";
  return headers[":method"] === "POST" && /^application\/grpc(\+proto)?(;|$)/.test(type);
}
