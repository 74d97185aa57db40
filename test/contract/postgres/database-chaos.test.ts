import { PenstockError } from "@penstock/core";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestPostgres, type TestPostgres, until } from "./test-postgres.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres(true);
});
afterAll(() => postgres.stop());

/** A small generator (mulberry32), so that a run can be repeated. */
function randomFrom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 4294967296;
  };
}

const pause = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms));

describe("Database under faults at random", () => {
  // F70, F71, F72, F77 → every caller gets an answer, of a kind it can handle, and the process lives. Method: callers without rest, connections
  // cut, server frozen, killed and restarted under them; then a count of what was acknowledged against what is there.
  it("F70, F72, F77: answers every call, keeps what it acknowledged, and leaves no error unhandled", async () => {
    const seed = Number(process.env.SEED ?? Date.now() % 1e9);
    const random = randomFrom(seed);
    const unhandled: unknown[] = [];
    const note = (error: unknown) => void unhandled.push(error);
    process.on("unhandledRejection", note);
    process.on("uncaughtException", note);
    const url = await postgres.migratedUrl();
    const db = postgres.openUrl(url, { statementMs: 600, connectMs: 600, sessionsMax: 6 });
    await db.sql`create table marks (id int primary key, half int not null)`;
    let heard = 0;
    db.listen("marks", { onNotify: () => heard++ });
    let isOver = false;
    const acknowledged: number[] = [];
    const codes = new Map<string, number>();
    let next = 0;

    async function write(id: number): Promise<void> {
      await db.transaction(async (sql) => {
        await sql`insert into marks values (${id}, 1)`;
        await Promise.all([
          sql`update marks set half = 2 where id = ${id}`,
          sql`select pg_notify('marks', ${String(id)})`,
        ]);
      });
      acknowledged.push(id);
    }
    async function caller(): Promise<void> {
      while (!isOver) {
        try {
          if (random() < 0.5) await write(++next);
          else await db.sql`select count(*) from marks where id = any(${[1, 2, 3]}::int[])`;
        } catch (error) {
          const code = error instanceof PenstockError ? error.code : String(error);
          codes.set(code, (codes.get(code) ?? 0) + 1);
          await pause(5);
        }
      }
    }
    const callers = Array.from({ length: 12 }, caller);
    for (let round = 0; round < 14; round++) {
      await pause(random() * 150);
      const fault = random();
      if (fault < 0.5) await cutConnections(url);
      else if (fault < 0.75) {
        postgres.server.pause();
        await pause(random() * 1_500);
        postgres.server.resume();
      } else {
        await postgres.server.kill();
        await pause(random() * 200);
        await postgres.server.restart();
      }
    }
    isOver = true;
    await Promise.all(callers);
    await until(() => db.ping());
    const rows = await db.sql<{ id: number; half: number }[]>`select id, half from marks`;
    process.off("unhandledRejection", note);
    process.off("uncaughtException", note);
    const stored = new Set(rows.map(({ id }) => id));
    const context = `SEED=${seed} ${JSON.stringify([...codes])}`;
    expect(unhandled, context).toEqual([]);
    expect(
      acknowledged.filter((id) => !stored.has(id)),
      context,
    ).toEqual([]);
    expect(
      rows.filter(({ half }) => half !== 2),
      context,
    ).toEqual([]);
    expect(acknowledged.length, context).toBeGreaterThan(0);
    expect(heard, context).toBeGreaterThan(0);
    expect([...codes.keys()].sort(), context).toEqual(["unavailable"]);
  });

  async function cutConnections(url: string): Promise<void> {
    const admin = postgres.openUrl(url, { sessionsMax: 1 });
    await admin.sql`
      select pg_terminate_backend(pid) from pg_stat_activity
       where pid <> pg_backend_pid() and datname = current_database()`.catch(() => null);
    await admin.close();
  }
});
