/**
 * One HTTP/2 connection to a peer, opened by the first call and again after it broke.
 *
 *     none ──call──▶ opening ──▶ open ──GOAWAY──▶ (its calls finish; the next call opens another)
 *      ▲                │          ├─ ping unanswered, socket lost ──▶ its calls end with UNAVAILABLE
 *      └────failed──────┴──────────┴─ close()
 *
 * What is always true: no error of a socket or a session goes unhandled, whatever the moment; opening ends within its limit; pings go out
 * for as long as the connection lives, so that a dead peer is noticed before the next call needs it. A connection
 * without calls doesn't keep the process alive.
 *
 * connect-node has such a manager; its timers and listeners outlive the session in some orders of events, and then end the process.
 */
import {
  type ClientHttp2Session,
  type ClientHttp2Stream,
  type ClientSessionRequestOptions,
  connect,
  constants,
  type OutgoingHttpHeaders,
} from "node:http2";
import { Code, ConnectError } from "@connectrpc/connect";
import type { ClientTls } from "../../tls/client-security.ts";
import { WINDOW_BYTES } from "../server/rpc-sessions.ts";
import { dial } from "./dial.ts";

export interface RpcConnectionOptions {
  readonly host: string;
  readonly port: number;
  /** `http://host:port` or `https://…`. */
  readonly origin: string;
  /** What to verify and to show, as it is now; null: in the clear. */
  readonly tls: (() => ClientTls) | null;
  readonly connectMsMax: number;
  /** Between pings; an answer may take as long. */
  readonly pingIntervalMs: number;
}

export class RpcConnection {
  readonly authority: string;
  readonly #options: RpcConnectionOptions;
  #current: Promise<ClientHttp2Session> | null = null;
  /** Calls that are open, by session. */
  readonly #calls = new Map<ClientHttp2Session, number>();

  constructor(options: RpcConnectionOptions) {
    this.#options = options;
    this.authority = new URL(options.origin).origin;
  }

  async request(
    method: string,
    path: string,
    headers: OutgoingHttpHeaders,
    options: Omit<ClientSessionRequestOptions, "signal">,
  ): Promise<ClientHttp2Stream> {
    for (;;) {
      this.#current ??= this.#open();
      const opening = this.#current;
      const session = await opening;
      if (session.closed || session.destroyed) {
        // Its end is known before it is announced; the next round opens another.
        if (this.#current === opening) this.#current = null;
        continue;
      }
      const target = { ...headers, ":method": method, ":path": path };
      return this.#count(session, session.request(target, options));
    }
  }

  /** Part of connect-node's contract; pings tell enough of whether the peer lives. */
  notifyResponseByteRead(): void {}

  /** Ends the connection and its calls. */
  close(): void {
    this.#current = null;
    for (const session of this.#calls.keys()) {
      const reason = new ConnectError("the client was closed", Code.Canceled);
      session.destroy(reason, constants.NGHTTP2_CANCEL);
    }
  }

  #count(session: ClientHttp2Session, stream: ClientHttp2Stream): ClientHttp2Stream {
    const change = (by: 1 | -1): void => {
      const calls = (this.#calls.get(session) ?? 0) + by;
      if (session.destroyed) return;
      this.#calls.set(session, calls);
      if (calls === 0) session.unref();
      else session.ref();
    };
    change(1);
    stream.once("close", () => change(-1));
    return stream;
  }

  #open(): Promise<ClientHttp2Session> {
    const { host, port, origin, connectMsMax, tls } = this.#options;
    const socket = dial({ host, port }, connectMsMax, tls === null ? null : tls());
    // Before the session listens: it would end its calls as cancelled, and a lost connection is no cancellation.
    socket.once("close", () => session.destroy(lost()));
    const session = connect(origin, {
      createConnection: () => socket,
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
    });
    this.#calls.set(session, 0);
    const opening = new Promise<ClientHttp2Session>((resolve, reject) => {
      session.once("connect", () => {
        session.setLocalWindowSize(WINDOW_BYTES);
        this.#keepAlive(session);
        session.unref();
        resolve(session);
      });
      // For the whole life: an error may come after everybody else has lost interest.
      session.on("error", (error) => reject(unavailable(error)));
      session.once("close", () => reject(lost()));
    });
    const forget = (): void => {
      if (this.#current === opening) this.#current = null;
    };
    session.once("goaway", forget);
    session.once("close", () => {
      forget();
      this.#calls.delete(session);
    });
    // Each call that waits sees the failure itself.
    opening.catch(forget);
    return opening;
  }

  #keepAlive(session: ClientHttp2Session): void {
    let isWaiting = false;
    const timer = setInterval(() => {
      if (session.destroyed) return;
      if (isWaiting) {
        session.destroy(new ConnectError("the peer doesn't answer pings", Code.Unavailable));
        return;
      }
      isWaiting = session.ping(() => {
        isWaiting = false;
      });
    }, this.#options.pingIntervalMs);
    timer.unref();
    session.once("close", () => clearInterval(timer));
  }
}

function unavailable(error: Error): ConnectError {
  if (error instanceof ConnectError) return error;
  return new ConnectError(error.message, Code.Unavailable, undefined, undefined, error);
}

function lost(): ConnectError {
  return new ConnectError("the connection was lost", Code.Unavailable);
}
