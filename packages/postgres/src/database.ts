import { BusyError, isConnectionLost, unavailable } from "./database-errors.ts";
import { Listener, type ListenHandlers, type Subscription } from "./listener.ts";
import type { Session } from "./session.ts";
import { SessionPool } from "./session-pool.ts";
import { createSql, type Sql } from "./sql-query.ts";
import { runTransaction, type TransactionOptions } from "./transaction.ts";

/** What the package says to the log of its process. */
export interface DatabaseLog {
  info(message: string, fields?: object): void;
  warn(message: string, fields?: object): void;
  error(message: string, fields?: object): void;
}

export interface DatabaseOptions {
  /** postgres://user:password@host:port/database; never logged. */
  readonly url: string;
  readonly log: DatabaseLog;
  /** Default 10. One more connection is used for LISTEN. */
  readonly sessionsMax?: number;
  /** Longest time of one statement on the server; default 3 s. The client gives up 1 s later. */
  readonly statementMs?: number;
  /** Longest wait for a lock; default 2 s. */
  readonly lockMs?: number;
  /** Longest time to connect; default 3 s. */
  readonly connectMs?: number;
  /** Answer `unavailable` until `migrate` has finished; default false. */
  readonly isGated?: boolean;
}

/**
 * Postgres, with every wait bounded. Failures are PenstockErrors (`toDatabaseError`); connections come back by themselves.
 */
export interface Database {
  /** One statement on any connection. */
  readonly sql: Sql;
  /** Several statements in one transaction; retried when it loses against another one. */
  transaction<T>(work: (sql: Sql) => Promise<T>, options?: TransactionOptions): Promise<T>;
  /** Subscribes to a channel, for ever: re-subscribes after each loss. */
  listen(channel: string, handlers: ListenHandlers): Subscription;
  /** Whether the last contact succeeded; false before the first. */
  readonly isReachable: boolean;
  /** Asks now. */
  ping(): Promise<boolean>;
  /** Ends the gate: the schema is there. */
  admit(): void;
  /** For the migration runner: a transaction with its connection, also behind the gate. */
  withSession<T>(work: (sql: Sql, session: Session) => Promise<T>): Promise<T>;
  close(): Promise<void>;
}

export function openDatabase(options: DatabaseOptions): Database {
  const statementMs = options.statementMs ?? 3_000;
  const limits = {
    url: options.url,
    connectMs: options.connectMs ?? 3_000,
    statementMs,
    lockMs: options.lockMs ?? 2_000,
    answerMs: statementMs + 1_000,
  };
  const pool = new SessionPool({
    ...limits,
    sessionsMax: options.sessionsMax ?? 10,
    waitersMax: 1_000,
    waitMs: 3_000,
    lifetimeMs: 30 * 60_000,
  });
  const reach = new Reachability(options.log, () => pool.destroyIdle());
  const listener = new Listener({
    ...limits,
    pingMs: 2_000,
    onReachable: (isReachable, error) => reach.note(isReachable, error),
  });
  let isGated = options.isGated ?? false;
  const pass = () => {
    if (isGated) throw unavailable(new BusyError("the schema is not there yet"));
  };
  const sql = createSql(async (query) => {
    pass();
    return reach.observe(() => pool.use((session) => session.run(query)));
  });
  return {
    sql,
    async transaction(work, how) {
      pass();
      return reach.observe(() => runTransaction(pool, work, how));
    },
    admit() {
      isGated = false;
    },
    withSession: (work) => reach.observe(() => runTransaction(pool, work)),
    listen: (channel, handlers) => listener.subscribe(channel, handlers),
    get isReachable() {
      return reach.isReachable;
    },
    async ping() {
      try {
        await reach.observe(() => pool.use((session) => session.script("select 1")));
        return true;
      } catch {
        // The answer is the boolean; `reach` has logged why.
        return false;
      }
    },
    async close() {
      await listener.close();
      await pool.close();
    },
  };
}

/** Remembers how the last contact ended and logs the turns. */
class Reachability {
  readonly #log: DatabaseLog;
  readonly #onLost: () => void;
  #state: boolean | null = null;

  constructor(log: DatabaseLog, onLost: () => void) {
    this.#log = log;
    this.#onLost = onLost;
  }

  get isReachable(): boolean {
    return this.#state === true;
  }

  async observe<T>(ask: () => Promise<T>): Promise<T> {
    try {
      const result = await ask();
      this.note(true);
      return result;
    } catch (error) {
      if (isConnectionLost(error)) this.note(false, error);
      throw error;
    }
  }

  note(isReachable: boolean, error?: unknown): void {
    if (!isReachable) this.#onLost();
    if (isReachable === this.#state) return;
    if (isReachable) this.#log.info("database reachable");
    else this.#log.warn("database unreachable", { reason: reasonOf(error) });
    this.#state = isReachable;
  }
}

function reasonOf(error: unknown): string {
  const cause = error instanceof Error ? (error.cause ?? error) : error;
  return cause instanceof Error ? cause.message : String(cause);
}
