import type { Database } from "@penstock/postgres";

/** Carries the result of a transaction out past its rollback. */
class Rehearsed extends Error {
  override readonly name = "Rehearsed";
  readonly result: unknown;

  constructor(result: unknown) {
    super("a rehearsal is rolled back");
    this.result = result;
  }
}

/** The same database, whose transactions do everything and keep nothing: what a change would answer is found by making it. */
export function rehearsalOf(db: Database): Database {
  return {
    ...db,
    get isReachable() {
      return db.isReachable;
    },
    async transaction<T>(...[work, options]: Parameters<typeof db.transaction<T>>): Promise<T> {
      try {
        return await db.transaction<T>(async (sql) => {
          throw new Rehearsed(await work(sql));
        }, options);
      } catch (error) {
        if (error instanceof Rehearsed) return error.result as T;
        throw error;
      }
    },
  };
}
