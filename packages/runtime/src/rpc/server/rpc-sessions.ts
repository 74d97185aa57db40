/**
 * The HTTP/2 sessions of one server and their limits. What is always true:
 *
 * - a connection that doesn't speak HTTP/2 within a few seconds is closed;
 * - where callers must authenticate, a connection without an admitted call is closed after some seconds (a health check is shorter), and the
 *   oldest such one at once when the listener is crowded: strangers can't keep the others out;
 * - a peer that stopped answering pings is closed, so a half-open connection doesn't hold calls for ever;
 * - each session receives with a large window, so one large message doesn't wait for round trips.
 */
import type { Http2Session, ServerHttp2Session } from "node:http2";

export const WINDOW_BYTES = 16 * 1024 * 1024;
const GOAWAY_MS = 1000;

export interface SessionLimits {
  /** Until the first frame of the client. */
  readonly prefaceMsMax: number;
  /** Until the first admitted call. Null: everybody is admitted. */
  readonly anonymousMsMax: number | null;
  /** So many sessions are a crowd. */
  readonly crowd: number;
  /** Between two pings; a ping that isn't answered by the next one closes the session. */
  readonly pingIntervalMs: number;
}

export class RpcSessions {
  readonly #limits: SessionLimits;
  readonly #sessions = new Set<ServerHttp2Session>();
  /** Without an admitted call, with what ends them. Oldest first. */
  readonly #anonymous = new Map<Http2Session, NodeJS.Timeout>();

  constructor(limits: SessionLimits) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#sessions.size;
  }

  add(session: ServerHttp2Session): void {
    this.#sessions.add(session);
    // Per-connection trouble is the peer's; the session is closed by Node, and calls see their own errors.
    session.on("error", () => {});
    session.setLocalWindowSize(WINDOW_BYTES);
    const preface = setTimeout(() => session.destroy(), this.#limits.prefaceMsMax);
    session.once("remoteSettings", () => clearTimeout(preface));
    const pings = this.#keepAlive(session);
    if (this.#limits.anonymousMsMax !== null)
      this.#expectCall(session, this.#limits.anonymousMsMax);
    session.once("close", () => {
      clearTimeout(preface);
      this.admitted(session);
      clearInterval(pings);
      this.#sessions.delete(session);
    });
  }

  /** A call of it was let in, or it has ended: nothing ends it for being anonymous any more. */
  admitted(session: Http2Session): void {
    clearTimeout(this.#anonymous.get(session));
    this.#anonymous.delete(session);
  }

  /** Refuses new calls; a session ends when its last call has. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }

  destroy(): void {
    for (const session of this.#sessions) session.destroy();
  }

  #expectCall(session: ServerHttp2Session, limitMs: number): void {
    const end = setTimeout(() => {
      // GOAWAY first, which a client that is about to call takes for what it is.
      session.close();
      this.#anonymous.set(session, setTimeout(() => session.destroy(), GOAWAY_MS).unref());
    }, limitMs).unref();
    const [oldest] = this.#anonymous.keys();
    if (oldest !== undefined && this.#sessions.size > this.#limits.crowd) {
      this.admitted(oldest);
      oldest.destroy();
    }
    this.#anonymous.set(session, end);
  }

  #keepAlive(session: ServerHttp2Session): NodeJS.Timeout {
    let isWaiting = false;
    const timer = setInterval(() => {
      if (session.destroyed) return;
      if (isWaiting) {
        session.destroy();
        return;
      }
      isWaiting = session.ping(() => {
        isWaiting = false;
      });
    }, this.#limits.pingIntervalMs);
    timer.unref();
    return timer;
  }
}
