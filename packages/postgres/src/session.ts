import { connect, type Socket } from "node:net";
import postgres from "postgres";
import { arrayTypes } from "./array-literal.ts";
import { isAnswer, isConnectionLost, toDatabaseError, unavailable } from "./database-errors.ts";
import type { NativeSql, SqlQuery } from "./sql-query.ts";

/**
 * One connection to Postgres, from its first byte to its end.
 *
 *   open ─▶ alive ─▶ dead (closed, broken, or silent for longer than `answerMs`)
 *
 * A session never reconnects: what follows a lost connection would run outside its transaction. The server ends statements that take too
 * long; a statement that outlives even that means a frozen server or a half-open connection, and the session is destroyed.
 */
export interface SessionOptions {
  readonly url: string;
  /** Longest time to connect, authenticate and answer the first query. */
  readonly connectMs: number;
  /** Server side limits. */
  readonly statementMs: number;
  readonly lockMs: number;
  /** Client side limit, above `statementMs`. */
  readonly answerMs: number;
  readonly onNotify?: (channel: string, payload: string) => void;
  readonly onDead?: (session: Session) => void;
}

export class Session {
  readonly openedAt: number = performance.now();
  readonly #options: SessionOptions;
  readonly #native: NativeSql;
  #socket: Socket | null = null;
  #isDead = false;

  private constructor(options: SessionOptions) {
    this.#options = options;
    const native: postgres.Options<{ bigint: postgres.PostgresType<bigint> }> & Hidden = {
      max: 1,
      idle_timeout: 0,
      max_lifetime: 0,
      connect_timeout: options.connectMs / 1000,
      keep_alive: 10,
      fetch_types: false,
      types: { ...arrayTypes(), bigint: postgres.BigInt },
      connection: {
        application_name: "penstock",
        statement_timeout: options.statementMs,
        lock_timeout: options.lockMs,
        idle_in_transaction_session_timeout: options.answerMs * 2,
      },
      onnotice: () => {},
      socket: (parsed) => this.#connect(parsed),
      ...(options.onNotify && { onnotify: options.onNotify }),
    };
    this.#native = postgres(options.url, native);
  }

  /** Connects, and makes sure that this server takes writes (after a failover an old primary may answer read-only). */
  static async open(options: SessionOptions): Promise<Session> {
    const session = new Session(options);
    const rows = (await session.#bounded(
      session.#native`select current_setting('transaction_read_only') as is_read_only`,
      options.connectMs,
    )) as { is_read_only: string }[];
    if (rows[0]?.is_read_only === "on") {
      session.destroy();
      throw unavailable(new Error("the server is read-only"));
    }
    return session;
  }

  get isAlive(): boolean {
    return !this.#isDead;
  }

  /** Runs one statement. Rejects with a PenstockError, always within `answerMs`. */
  run(query: SqlQuery<readonly object[]>, answerMs = this.#options.answerMs): Promise<unknown> {
    return this.#bounded(query.build(this.#native), answerMs);
  }

  /** Runs a text of several statements without parameters: migrations only. */
  script(text: string, answerMs = this.#options.answerMs): Promise<unknown> {
    return this.#bounded(this.#native.unsafe(text), answerMs);
  }

  /** Ends the connection at once. What runs on it is rejected as unavailable. */
  destroy(): void {
    if (this.#isDead) return;
    this.#isDead = true;
    this.#socket?.destroy(new Error("the connection was given up"));
    this.#options.onDead?.(this);
  }

  async close(): Promise<void> {
    if (this.#isDead) return;
    await this.#native.end({ timeout: 0.5 });
    this.destroy();
  }

  async #bounded(query: PromiseLike<unknown>, answerMs: number): Promise<unknown> {
    if (this.#isDead) throw unavailable(new Error("the connection is closed"));
    let timer: NodeJS.Timeout | undefined;
    const silence = new Promise<never>((_, reject) => {
      timer = setTimeout(() => {
        reject(unavailable(new Error(`no answer within ${answerMs} ms`)));
        this.destroy();
      }, answerMs);
    });
    try {
      return await Promise.race([query, silence]);
    } catch (error) {
      const translated = toDatabaseError(error);
      // A statement that failed on this side may have left half a conversation behind.
      if (isConnectionLost(translated) || !isAnswer(error)) this.destroy();
      throw translated;
    } finally {
      clearTimeout(timer);
    }
  }

  #connect(parsed: { host: string[]; port: number[]; path?: string | false }): Socket {
    if (this.#isDead || this.#socket) throw new Error("a session connects once");
    const host = Math.floor(Math.random() * parsed.host.length);
    const socket = parsed.path
      ? connect(parsed.path)
      : connect({ port: parsed.port[host] ?? 5432, host: parsed.host[host] ?? "127.0.0.1" });
    socket.setNoDelay(true);
    socket.once("close", () => this.destroy());
    this.#socket = Object.assign(socket, { host: parsed.host[host], port: parsed.port[host] });
    return socket;
  }
}

/** Options that postgres.js documents or reads, and its types leave out. */
interface Hidden {
  socket: (parsed: { host: string[]; port: number[]; path?: string | false }) => Socket;
  onnotify?: (channel: string, payload: string) => void;
}
