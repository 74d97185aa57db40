/**
 * The HTTP/2 sessions of one server and their limits. What is always true:
 *
 * - a connection that doesn't speak HTTP/2 within a few seconds is closed;
 * - a peer that stopped answering pings is closed, so a half-open connection doesn't hold calls for ever;
 * - each session receives with a large window, so one large message doesn't wait for round trips.
 */
import type { ServerHttp2Session } from "node:http2";

export const WINDOW_BYTES = 16 * 1024 * 1024;

export interface SessionLimits {
  /** Until the first frame of the client. */
  readonly prefaceMsMax: number;
  /** Between two pings; a ping that isn't answered by the next one closes the session. */
  readonly pingIntervalMs: number;
}

export class RpcSessions {
  readonly #limits: SessionLimits;
  readonly #sessions = new Set<ServerHttp2Session>();

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
    session.once("close", () => {
      clearTimeout(preface);
      clearInterval(pings);
      this.#sessions.delete(session);
    });
  }

  /** Refuses new calls; a session ends when its last call has. */
  close(): void {
    for (const session of this.#sessions) session.close();
  }

  destroy(): void {
    for (const session of this.#sessions) session.destroy();
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
