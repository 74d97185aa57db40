import { PenstockError } from "@penstock/core";
import { assertTerm, type Database, type Sql } from "@penstock/postgres";

/**
 * One period in which this replica leads. Every write of a controller goes through `write`: it can't be committed after another
 * replica took the lead, and isn't even tried when the lease has run out or the term was lost.
 *
 * Validity is measured on the monotonic clock, from before the lease was asked for, so it ends before the lease does.
 */
export class Term {
  readonly number: bigint;
  readonly #db: Database;
  readonly #nowMs: () => number;
  #validUntilMs: number;
  #isOver = false;

  constructor(db: Database, number: bigint, nowMs: () => number, validUntilMs: number) {
    this.#db = db;
    this.number = number;
    this.#nowMs = nowMs;
    this.#validUntilMs = validUntilMs;
  }

  get isValid(): boolean {
    return !this.#isOver && this.#nowMs() < this.#validUntilMs;
  }

  extend(validUntilMs: number): void {
    this.#validUntilMs = validUntilMs;
  }

  end(): void {
    this.#isOver = true;
  }

  /** Runs `work` in a transaction that holds the term. `aborted` when it is not this replica's any more. */
  write<T>(work: (sql: Sql) => Promise<T>): Promise<T> {
    this.#check();
    return this.#db.transaction(async (sql) => {
      await assertTerm(sql, this.number);
      this.#check();
      return work(sql);
    });
  }

  #check(): void {
    if (!this.isValid) throw new PenstockError("aborted", "this replica does not lead any more");
  }
}
