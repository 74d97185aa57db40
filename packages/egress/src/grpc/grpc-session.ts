import type { OutgoingHttpHeaders } from "node:http2";
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from "node:http2";
import type { Socket } from "node:net";

/**
 * One HTTP/2 connection to a gRPC server. Takes calls from the moment the server's SETTINGS have come until it says GOAWAY, and never more than the server
 * allows at once: a call that it takes is written at once, not queued inside the library.
 */
export class GrpcSession {
  readonly #session: ClientHttp2Session;
  readonly #onFree: () => void;
  #calls = 0;
  #isOpen = true;
  #isProbing = false;

  private constructor(session: ClientHttp2Session, onFree: () => void, onClose: () => void) {
    this.#session = session;
    this.#onFree = onFree;
    session.setTimeout(IDLE_MS, () => {
      if (this.#calls === 0) this.retire();
    });
    session.on("goaway", () => {
      this.#isOpen = false;
    });
    session.on("close", () => {
      this.#isOpen = false;
      onClose();
    });
  }

  /** Speaks HTTP/2 on a connected socket; ready when the server's SETTINGS came, which proves that it speaks it too. */
  static open(
    authority: string,
    isTls: boolean,
    socket: Socket,
    timeoutMs: number,
    events: {
      ready(session: GrpcSession): void;
      failed(error: Error): void;
      free(): void;
      closed(session: GrpcSession): void;
    },
  ): void {
    const session = connect(`${isTls ? "https" : "http"}://${authority}`, {
      createConnection: () => socket,
      settings: { enablePush: false, initialWindowSize: WINDOW_BYTES },
      maxSessionMemory: SESSION_MEMORY_MB,
      maxHeaderListPairs: 128,
      maxReservedRemoteStreams: 0,
    });
    let opened: GrpcSession | null = null;
    let failure: Error = new Error("the peer closed the connection before it spoke HTTP/2");
    const timer = setTimeout(() => {
      failure = Object.assign(new Error("no HTTP/2 settings"), { code: "UND_ERR_CONNECT_TIMEOUT" });
      session.destroy();
    }, timeoutMs);
    session.on("error", (error) => {
      failure = error;
    });
    session.once("remoteSettings", () => {
      clearTimeout(timer);
      session.setLocalWindowSize(WINDOW_BYTES);
      opened = new GrpcSession(session, events.free, () => {
        if (opened !== null) events.closed(opened);
      });
      events.ready(opened);
    });
    session.once("close", () => {
      clearTimeout(timer);
      if (opened === null) events.failed(failure);
    });
  }

  get hasRoom(): boolean {
    return this.#isOpen && !this.#session.destroyed && this.#calls < this.#callsMax();
  }

  /** Takes no more calls, ever. */
  get isSpent(): boolean {
    return !this.#isOpen || this.#session.destroyed;
  }

  request(headers: OutgoingHttpHeaders): ClientHttp2Stream {
    this.#calls++;
    const stream = this.#session.request(headers);
    stream.once("close", () => {
      this.#calls--;
      if (this.#isOpen) this.#onFree();
    });
    return stream;
  }

  /** A call got no answer in time: is the connection itself still alive? */
  probe(): void {
    if (this.#isProbing || this.#session.destroyed) return;
    this.#isProbing = true;
    const timer = setTimeout(() => this.destroy(), PROBE_MS);
    timer.unref();
    this.#session.ping(() => {
      clearTimeout(timer);
      this.#isProbing = false;
    });
  }

  destroy(): void {
    this.#isOpen = false;
    this.#session.destroy();
  }

  /** Takes no more calls and closes after the last one. */
  retire(): void {
    this.#isOpen = false;
    this.#session.close();
  }

  #callsMax(): number {
    const { maxConcurrentStreams } = this.#session.remoteSettings;
    return Math.min(maxConcurrentStreams ?? CALLS_MAX, CALLS_MAX);
  }
}

const IDLE_MS = 300_000;
const PROBE_MS = 5_000;
const CALLS_MAX = 1_000;
/** Answers are small; a big one is capped anyway. */
const WINDOW_BYTES = 1024 * 1024;
/** Node counts queued request bodies against this, and resets streams above it. */
const SESSION_MEMORY_MB = 1024;

export const CANCEL = constants.NGHTTP2_CANCEL;
