import { PenstockError } from "@penstock/core";
import type { Database } from "./database.ts";
import type { Sql } from "./sql-query.ts";

/**
 * Who leads. One lease row on database time; each leader gets a new, higher term.
 *
 * The term is the fencing token: a write made in a transaction that began with {@link assertTerm} can't be committed after another
 * replica took the lead, however late it is. The lease only decides when another one may try.
 */
export interface Election {
  /** Becomes leader when the lease is free (or already its own): the new term, else null. */
  tryAcquire(leaderId: string, leaseMs: number): Promise<bigint | null>;
  /** Extends the lease; false when another one took over. */
  renew(term: bigint, leaseMs: number): Promise<boolean>;
  /** Frees the lease, so that another replica need not wait it out. */
  resign(term: bigint): Promise<void>;
}

export function createElection(db: Database): Election {
  return {
    async tryAcquire(leaderId, leaseMs) {
      const rows = await db.sql<{ term: bigint }[]>`
        update leadership
           set term = term + 1,
               leader_id = ${leaderId},
               lease_until = clock_timestamp() + ${leaseMs}::int * interval '1 millisecond'
         where lease_until <= clock_timestamp() or leader_id = ${leaderId}
        returning term`;
      return rows[0]?.term ?? null;
    },
    async renew(term, leaseMs) {
      const rows = await db.sql`
        update leadership
           set lease_until = clock_timestamp() + ${leaseMs}::int * interval '1 millisecond'
         where term = ${term} and leader_id is not null`;
      return rows.count === 1;
    },
    async resign(term) {
      await db.sql`
        update leadership set leader_id = null, lease_until = clock_timestamp()
         where term = ${term}`;
    },
  };
}

/**
 * First statement of a leader's transaction: throws `aborted` unless the term is the present one, and keeps
 * it so until the transaction ends (a candidate waits for the row).
 */
export async function assertTerm(sql: Sql, term: bigint): Promise<void> {
  const rows = await sql`select 1 from leadership where term = ${term} for share`;
  if (rows.length !== 1) {
    throw new PenstockError("aborted", "another replica of the mapping service leads now");
  }
}
