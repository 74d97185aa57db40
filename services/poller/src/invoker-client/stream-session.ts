import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  connect,
  constants,
  type IncomingHttpHeaders,
} from "node:http2";
import type { FunctionCall } from "@penstock/core";
import {
  decodeStreamResponse,
  encodeStreamRequestHead,
  GrpcFrameReader,
  type StreamResponse,
  WireError,
} from "@penstock/egress";

import {
  type ClientSecurity,
  openResettableSocket,
  PLAIN_CLIENT,
  type ResettableSocket,
  schemeOf,
} from "@penstock/runtime";

/**
 * One connection to one invoker, with one `InvokeStream` on it, from the connect to its end. Knows bytes and nothing of calls in flight.
 *
 *   connecting ─▶ open (after `settings`) ─▶ draining (the invoker said GOAWAY) ─▶ closed, once
 *
 * The socket is reset, not shut, when the session breaks: bytes that have not left are dropped with it and can't reach the invoker after the
 * calls in them were given up. A PING each few seconds bounds for how long a written call can be on its way unnoticed.
 */
export interface StreamSessionEvents {
  response(response: StreamResponse): void;
  /** What waited for the network has left. */
  drained(): void;
  /** The invoker is about to stop: no new calls. */
  draining(): void;
  closed(reason: string): void;
}

export interface StreamTarget {
  readonly host: string;
  readonly port: number;
  /** Default: in the clear, without credentials. */
  readonly security?: ClientSecurity;
}

export interface KeepAlive {
  readonly intervalMs: number;
  readonly timeoutMs: number;
}

const PATH = "/penstock.invoker.v1.InvokerService/InvokeStream";
const CONNECT_MS_MAX = 5_000;
const WINDOW_BYTES = 1024 * 1024;
/** Answers are ids and a sentence. */
const RESPONSE_BYTES_MAX = 64 * 1024;
/** Bytes that are handed to the transport ahead of the network. */
const WRITE_AHEAD_BYTES_MAX = 4 * 1024 * 1024;
/** Below it, one write with a copy is cheaper than two without. */
const COPY_BYTES_MAX = 8 * 1024;
/** Node counts queued request bytes against this, in MB. */
const SESSION_MEMORY_MB = 1024;

export class StreamSession {
  readonly #events: StreamSessionEvents;
  readonly #connection: ResettableSocket;
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #keepAlive: NodeJS.Timeout;
  readonly #connectTimer: NodeJS.Timeout;
  #pingTimer: NodeJS.Timeout | null = null;
  #isClosed = false;
  #status = "";

  constructor(address: StreamTarget, keepAlive: KeepAlive, events: StreamSessionEvents) {
    this.#events = events;
    const { host, port, security = PLAIN_CLIENT } = address;
    const tls = security.tls === null ? null : security.tls();
    this.#connection = openResettableSocket({ host, port }, tls);
    this.#session = connect(`${schemeOf(security)}://${authorityOf(address)}`, {
      createConnection: () => this.#connection.socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      maxSessionMemory: SESSION_MEMORY_MB,
    });
    const authorization = security.authorization();
    this.#stream = this.#session.request({
      ":method": "POST",
      ":path": PATH,
      "content-type": "application/grpc+proto",
      te: "trailers",
      ...(authorization !== null && { authorization }),
    });
    this.#connectTimer = setTimeout(() => this.#close("no answer in time"), CONNECT_MS_MAX);
    this.#keepAlive = setInterval(() => this.#ping(keepAlive.timeoutMs), keepAlive.intervalMs);
    this.#listen();
  }

  /** Writes a call, whether or not there is room. */
  send(correlationId: number, call: FunctionCall): void {
    const stream = this.#stream;
    const head = encodeStreamRequestHead(correlationId, call);
    if (call.payload.length <= COPY_BYTES_MAX) {
      stream.write(Buffer.concat([head, call.payload]));
    } else {
      stream.cork();
      stream.write(head);
      stream.write(call.payload);
      stream.uncork();
    }
  }

  /** False while more than a few MB wait for the network; `drained` follows. */
  get hasRoom(): boolean {
    return !this.#isClosed && this.#stream.writableLength < WRITE_AHEAD_BYTES_MAX;
  }

  /** Says that no more calls come; the invoker ends the stream after its last answer. */
  finish(): void {
    if (!this.#isClosed) this.#stream.end();
  }

  /** Cuts the connection. `closed` is called unless it was before. */
  break(reason: string): void {
    this.#close(reason);
  }

  #listen(): void {
    const stream = this.#stream;
    const reader = new GrpcFrameReader(RESPONSE_BYTES_MAX, (message) => this.#receive(message));
    stream.on("response", (headers) => this.#head(headers));
    stream.on("trailers", (trailers) => this.#readStatus(trailers));
    stream.on("data", (chunk: Buffer) => {
      const problem = this.#isClosed ? null : reader.push(chunk);
      if (problem !== null) this.#close(`the answer is ${problem}`);
    });
    stream.on("drain", () => {
      if (!this.#isClosed) this.#events.drained();
    });
    stream.on("error", (error) => this.#close(reasonOf(error)));
    stream.on("close", () => this.#close(this.#status === "" ? "stream closed" : this.#status));
    this.#session.on("goaway", () => {
      if (!this.#isClosed) this.#events.draining();
    });
    this.#session.on("error", (error) => this.#close(reasonOf(error)));
    this.#session.on("close", () => this.#close("connection closed"));
    this.#connection.socket.on("error", (error) => this.#close(reasonOf(error)));
  }

  #head(headers: IncomingHttpHeaders): void {
    const type = headers["content-type"] ?? "";
    if (Number(headers[":status"]) !== 200 || !type.startsWith("application/grpc")) {
      this.#close(`not an invoker: HTTP status ${headers[":status"]}`);
    } else {
      this.#readStatus(headers);
    }
  }

  #readStatus(headers: IncomingHttpHeaders): void {
    const status = headers["grpc-status"];
    if (status !== undefined) this.#status = `stream ended with gRPC status ${status}`;
  }

  #receive(message: Buffer): void {
    if (this.#isClosed) return;
    let response: StreamResponse;
    try {
      response = decodeStreamResponse(message);
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      this.#close(`malformed answer: ${error.message}`);
      return;
    }
    if ("settings" in response) clearTimeout(this.#connectTimer);
    this.#events.response(response);
  }

  #ping(timeoutMs: number): void {
    if (this.#pingTimer !== null || this.#session.connecting || this.#session.destroyed) return;
    this.#pingTimer = setTimeout(() => {
      // When this process itself stood still, the answer may wait in the socket: read it first.
      setImmediate(() => {
        if (this.#pingTimer !== null) this.#close("no answer to a PING");
      });
    }, timeoutMs);
    this.#session.ping(() => {
      if (this.#pingTimer !== null) clearTimeout(this.#pingTimer);
      this.#pingTimer = null;
    });
  }

  #close(reason: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    clearTimeout(this.#connectTimer);
    clearInterval(this.#keepAlive);
    if (this.#pingTimer !== null) clearTimeout(this.#pingTimer);
    this.#connection.reset();
    this.#session.destroy(undefined, constants.NGHTTP2_CANCEL);
    this.#events.closed(reason);
  }
}

function authorityOf(address: { readonly host: string; readonly port: number }): string {
  const { host, port } = address;
  return host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`;
}

function reasonOf(error: Error): string {
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
