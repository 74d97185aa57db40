import { InvariantError, PenstockError } from "@penstock/core";
import { isConnectionLost, isRetryable, toDatabaseError } from "./database-errors.ts";
import type { Session } from "./session.ts";
import type { SessionPool } from "./session-pool.ts";
import { createSql, type Sql } from "./sql-query.ts";

export interface TransactionOptions {
  /** Default "read committed". */
  readonly isolation?: "read committed" | "repeatable read" | "serializable";
  /** Default false. */
  readonly isReadOnly?: boolean;
}

/** How often a transaction that lost against another one is tried, the first time included. */
export const TRANSACTION_ATTEMPTS_MAX = 5;

/**
 * Runs `work` in a transaction, and again (after a short, random wait) when Postgres rolled it back for another one's sake: `work` must
 * have no effect but its statements. Whatever it throws rolls back and is thrown on.
 */
export async function runTransaction<T>(
  pool: SessionPool,
  work: (sql: Sql, session: Session) => Promise<T>,
  options: TransactionOptions = {},
): Promise<T> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await pool.use((session) => once(session, work, options));
    } catch (error) {
      const mayRetry = error instanceof PenstockError && isRetryable(error);
      if (!mayRetry || attempt === TRANSACTION_ATTEMPTS_MAX) throw error;
      await new Promise((resolve) => setTimeout(resolve, Math.random() * 10 * 2 ** attempt));
    }
  }
}

const BEGIN = {
  "read committed": "begin isolation level read committed",
  "repeatable read": "begin isolation level repeatable read",
  serializable: "begin isolation level serializable",
} as const;

async function once<T>(
  session: Session,
  work: (sql: Sql, session: Session) => Promise<T>,
  options: TransactionOptions,
): Promise<T> {
  let isOver = false;
  const sql = createSql((query) => {
    if (isOver) throw new InvariantError("a statement after the end of its transaction");
    return session.run(query);
  });
  const mode = options.isReadOnly ? " read only" : " read write";
  await session.script(BEGIN[options.isolation ?? "read committed"] + mode);
  try {
    const result = await work(sql, session);
    isOver = true;
    await commit(session);
    return result;
  } catch (error) {
    isOver = true;
    await rollBack(session);
    throw error;
  }
}

/** A commit that is not answered may have happened: the caller must know that (F75). */
async function commit(session: Session): Promise<void> {
  try {
    await session.script("commit");
  } catch (error) {
    if (!isConnectionLost(error)) throw error;
    throw new PenstockError(
      "unavailable",
      "the database did not confirm the change, which may have been made: read before you try again",
      { cause: error },
    );
  }
}

async function rollBack(session: Session): Promise<void> {
  if (!session.isAlive) return;
  try {
    await session.script("rollback");
  } catch (error) {
    // The server rolls back when the connection ends; the first error is the one to report.
    toDatabaseError(error);
    session.destroy();
  }
}
