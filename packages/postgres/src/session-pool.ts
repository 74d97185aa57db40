import { PenstockError } from "@penstock/core";
import { BusyError, unavailable } from "./database-errors.ts";
import { Session, type SessionOptions } from "./session.ts";

export interface SessionPoolOptions extends SessionOptions {
  /** Most connections. */
  readonly sessionsMax: number;
  /** Most callers that wait for one, and for how long. */
  readonly waitersMax: number;
  readonly waitMs: number;
  /** A connection older than this is not used again. */
  readonly lifetimeMs: number;
}

interface Waiter {
  resolve(): void;
  reject(error: PenstockError): void;
}

/**
 * Connections to lend, at most `sessionsMax`, opened on demand.
 *
 * Every wait is bounded: in line by `waitersMax` and `waitMs`, for the connection by `connectMs`. Nothing waits for the database to come
 * back; callers are told `unavailable` and try again.
 */
export class SessionPool {
  readonly #options: SessionPoolOptions;
  readonly #idle: Session[] = [];
  readonly #alive = new Set<Session>();
  readonly #waiters: Waiter[] = [];
  #lent = 0;
  #isClosed = false;

  constructor(options: SessionPoolOptions) {
    this.#options = options;
  }

  /** Lends a session for the time of `work`. */
  async use<T>(work: (session: Session) => Promise<T>): Promise<T> {
    await this.#enter();
    let session: Session | null = null;
    try {
      session = this.#takeIdle() ?? (await this.#open());
      return await work(session);
    } finally {
      this.#leave(session);
    }
  }

  /** Gives up what lies idle: after one connection fell silent the others are not worth a wait each. */
  destroyIdle(): void {
    for (const session of this.#idle.splice(0)) session.destroy();
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(closed());
    await Promise.all(this.#idle.splice(0).map((session) => session.close()));
    for (const session of [...this.#alive]) session.destroy();
  }

  async #enter(): Promise<void> {
    if (this.#isClosed) throw closed();
    if (this.#lent < this.#options.sessionsMax) {
      this.#lent++;
      return;
    }
    if (this.#waiters.length >= this.#options.waitersMax) {
      throw new PenstockError("limitExceeded", "too many requests wait for the database");
    }
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.splice(this.#waiters.indexOf(waiter), 1);
        reject(unavailable(new BusyError("no free connection")));
      }, this.#options.waitMs);
      const waiter: Waiter = {
        resolve: () => {
          clearTimeout(timer);
          resolve();
        },
        reject: (error) => {
          clearTimeout(timer);
          reject(error);
        },
      };
      this.#waiters.push(waiter);
    });
  }

  #leave(session: Session | null): void {
    if (session?.isAlive) this.#putBack(session);
    const next = this.#waiters.shift();
    if (next) next.resolve();
    else this.#lent--;
  }

  #putBack(session: Session): void {
    const isOld = performance.now() - session.openedAt > this.#options.lifetimeMs;
    if (this.#isClosed || isOld) session.destroy();
    else this.#idle.push(session);
  }

  #takeIdle(): Session | null {
    for (;;) {
      const session = this.#idle.pop();
      if (!session) return null;
      if (session.isAlive) return session;
    }
  }

  async #open(): Promise<Session> {
    const session = await Session.open({
      ...this.#options,
      onDead: (dead) => this.#alive.delete(dead),
    });
    this.#alive.add(session);
    return session;
  }
}

function closed(): PenstockError {
  return unavailable(new Error("the pool is closed"));
}
