import { assertTerm, createElection, type Database } from "@penstock/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sharedTestPostgres, type TestDatabases, until } from "./test-postgres.ts";

let postgres: TestDatabases;
beforeAll(async () => {
  postgres = await sharedTestPostgres();
});
afterAll(() => postgres.stop());

async function freshDatabase(): Promise<Database> {
  const db = await postgres.open();
  await db.sql`update leadership set lease_until = now()`;
  return db;
}

describe("Election", () => {
  it("of many candidates one wins, and the others wait for its lease", async () => {
    const election = createElection(await freshDatabase());
    const terms = await Promise.all(
      Array.from({ length: 8 }, () => election.tryAcquire(crypto.randomUUID(), 60_000)),
    );
    expect(terms.filter((term) => term !== null)).toEqual([1n]);
  });

  it("gives the next leader a higher term after the lease has lapsed or was resigned", async () => {
    const election = createElection(await freshDatabase());
    expect(await election.tryAcquire(crypto.randomUUID(), 50)).toBe(1n);
    const second = crypto.randomUUID();
    await until(async () => (await election.tryAcquire(second, 60_000)) === 2n);
    expect(await election.renew(1n, 1_000)).toBe(false);
    expect(await election.renew(2n, 60_000)).toBe(true);
    await election.resign(2n);
    expect(await election.renew(2n, 1_000)).toBe(false);
    expect(await election.tryAcquire(crypto.randomUUID(), 1_000)).toBe(3n);
  });

  it("I-5: a write under an old term is refused, however late it comes", async () => {
    const db = await freshDatabase();
    const election = createElection(db);
    const old = await election.tryAcquire(crypto.randomUUID(), 1);
    const write = (term: bigint) =>
      db.transaction(async (sql) => {
        await assertTerm(sql, term);
        await sql`insert into function_changes (name, revision, is_deleted) values ('a', 1, false)`;
      });
    await write(old ?? 0n);
    await until(async () => (await election.tryAcquire(crypto.randomUUID(), 60_000)) !== null);
    await expect(write(old ?? 0n)).rejects.toMatchObject({ code: "aborted" });
    expect(await db.sql`select * from function_changes`).toHaveLength(1);
  });
});
