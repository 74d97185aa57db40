import { PenstockError } from "@penstock/core";
import { constraintOf, type Database, notify } from "@penstock/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { startTestPostgres, type TestPostgres, until } from "./test-postgres.ts";

let postgres: TestPostgres;
beforeAll(async () => {
  postgres = await startTestPostgres();
});
afterAll(() => postgres.stop());

describe("Database", () => {
  it("gives int8 as bigint, and takes bigint, arrays, json and dates", async () => {
    const db = await postgres.open();
    const big = 2n ** 62n;
    const rows = await db.sql<Record<string, unknown>[]>`
      select ${big}::int8 as big, ${["a", 'b"c']}::text[] as texts, ${db.sql.json({ a: [1] })}::jsonb as json,
             ${new Date(5)}::timestamptz as at, count(*) as rows from mappings`;
    expect(rows).toEqual([
      { big, texts: ["a", 'b"c'], json: { a: [1] }, at: new Date(5), rows: 0n },
    ]);
    expect(rows.count).toBe(1);
  });

  it("S-23: composes fragments and helpers, values always as parameters", async () => {
    const db = await postgres.open();
    const { sql } = db;
    const evil = `'; drop table gaps; --`;
    await sql`insert into mapping_events ${sql(
      [
        { mapping_id: crypto.randomUUID(), kind: evil, message: "1" },
        { mapping_id: crypto.randomUUID(), kind: "b", message: "2" },
      ],
      "mapping_id",
      "kind",
      "message",
    )}`;
    const only = sql`where kind = ${evil}`;
    expect(await sql`select kind, message from mapping_events ${only}`).toEqual([
      { kind: evil, message: "1" },
    ]);
    expect(await sql`select kind from mapping_events where message in ${sql(["2"])}`).toHaveLength(
      1,
    );
    expect(await sql`select * from gaps`).toEqual([]);
  });

  it("rolls a transaction back when its work throws, and passes the error on", async () => {
    const db = await postgres.open();
    const work = db.transaction(async (sql) => {
      await sql`insert into function_changes (name, revision, is_deleted) values ('a', 1, false)`;
      throw new RangeError("mine");
    });
    await expect(work).rejects.toThrow(RangeError);
    expect(await db.sql`select * from function_changes`).toEqual([]);
  });

  it("S-24: calls a value that can't be sent a defect, and keeps working", async () => {
    const db = await postgres.open({ sessionsMax: 1 });
    for (const bad of [{ circular: 1n }, undefined]) {
      const query = db.sql`select ${bad as never}::jsonb as value`;
      await expect(query).rejects.toMatchObject({ code: "internal", message: "internal error" });
    }
    expect(await db.sql`select 1 as one`).toEqual([{ one: 1 }]);
  });

  it("takes jsonb parameters in the rows of an insert", async () => {
    const { sql } = await postgres.open();
    await sql`create table documents (id int, body jsonb, list jsonb)`;
    const rows = [1, 2].map((id) => ({ id, body: sql.json({ id }), list: [{ a: 'b"c' }] }));
    await sql`insert into documents ${sql(rows)}`;
    expect(await sql`select * from documents order by id`).toEqual(
      [1, 2].map((id) => ({ id, body: { id }, list: [{ a: 'b"c' }] })),
    );
  });

  it("names the constraint that a conflict broke", async () => {
    const db = await postgres.open();
    await db.sql`create table things (id int constraint things_are_unique unique)`;
    await db.sql`insert into things values (1)`;
    const error = await db.sql`insert into things values (1)`.catch((reason) => reason);
    expect(error).toMatchObject({ code: "conflict" });
    expect(constraintOf(error)).toBe("things_are_unique");
  });

  it("F73: of two transactions in a deadlock, and of two that can't be serialized, both come through", async () => {
    const db = await postgres.open();
    await db.sql`create table counters (id int primary key, n int not null)`;
    await db.sql`insert into counters values (1, 0), (2, 0)`;
    const add = (ids: readonly number[], isolation: "read committed" | "serializable") =>
      db.transaction(
        async (sql) => {
          for (const id of ids) {
            await sql`update counters set n = n + 1 where id = ${id}`;
            await sql`select pg_sleep(0.02)`;
          }
        },
        { isolation },
      );
    await Promise.all([add([1, 2], "read committed"), add([2, 1], "read committed")]);
    await Promise.all([add([1, 2], "serializable"), add([1, 2], "serializable")]);
    expect(await db.sql`select n from counters`).toEqual([{ n: 4 }, { n: 4 }]);
  });

  it("F77: waits a bounded time for a free connection, then says unavailable", async () => {
    const db = await postgres.open({ sessionsMax: 1 });
    const holder = db.transaction(async (sql) => {
      await sql`select pg_sleep(2.5)`;
      await sql`select pg_sleep(2.5)`;
    });
    await expect(db.sql`select 1`).rejects.toMatchObject({ code: "unavailable" });
    await holder;
    await db.sql`select 1`;
  });

  it("ends a statement that takes too long, and keeps the connection", async () => {
    const db = await postgres.open({ sessionsMax: 1, statementMs: 100 });
    const [before] = await db.sql`select pg_backend_pid() as pid`;
    await expect(db.sql`select pg_sleep(30)`).rejects.toMatchObject({ code: "unavailable" });
    const [after] = await db.sql`select pg_backend_pid() as pid`;
    expect(after).toEqual(before);
  });
});

describe("Database when connections break", () => {
  const killOthers = (db: Database, except: number) =>
    db.sql`select pg_terminate_backend(pid) from pg_stat_activity
            where pid <> pg_backend_pid() and pid <> ${except} and datname = current_database()`;

  it("a transaction whose connection is cut is unavailable, and nothing of it runs elsewhere", async () => {
    const url = await postgres.migratedUrl();
    const db = postgres.openUrl(url);
    const other = postgres.openUrl(url);
    await other.sql`select 1`;
    for (const pauseMs of [0, 50]) {
      const cut = db.transaction(async (sql) => {
        await sql`insert into function_changes (name, revision, is_deleted) values ('before', 1, false)`;
        await killOthers(other, 0);
        await new Promise((resolve) => setTimeout(resolve, pauseMs));
        await sql`insert into function_changes (name, revision, is_deleted) values ('after', 1, false)`;
      });
      await expect(cut).rejects.toMatchObject({ code: "unavailable" });
    }
    expect(await db.sql`select * from function_changes`).toEqual([]);
  });

  it("listens again after its connection was cut, and says so", async () => {
    const url = await postgres.migratedUrl();
    const db = postgres.openUrl(url);
    const other = postgres.openUrl(url);
    const heard: string[] = [];
    let subscriptions = 0;
    db.listen("things", {
      onNotify: (payload) => heard.push(payload),
      onSubscribed: () => subscriptions++,
    });
    await until(() => subscriptions === 1);
    await notify(other.sql, "things", "one");
    await until(() => heard.includes("one"));
    await killOthers(other, 0);
    await until(() => subscriptions === 2);
    await notify(other.sql, "things", "two");
    await until(() => heard.includes("two"));
    let isLate = false;
    db.listen("late", { onNotify: () => {}, onSubscribed: () => (isLate = true) });
    await until(() => isLate);
  });
});

describe("Database while Postgres is away", () => {
  it("F70: unavailable while it is down, at work again afterwards, also for what was there before", async () => {
    const db = await postgres.open();
    let subscriptions = 0;
    db.listen("things", { onNotify: () => {}, onSubscribed: () => subscriptions++ });
    await until(() => subscriptions === 1);
    await db.sql`select 1`;
    await postgres.server.stop();
    await until(() => !db.isReachable);
    await expect(db.sql`select 1`).rejects.toMatchObject({ code: "unavailable" });
    expect(await db.ping()).toBe(false);
    await postgres.server.restart();
    await until(() => db.ping());
    await until(() => subscriptions === 2);
    expect(db.isReachable).toBe(true);
  });

  it("F71: a server that became read-only is unavailable until it takes writes again", async () => {
    const url = await postgres.migratedUrl();
    const db = postgres.openUrl(url);
    const name = new URL(url).pathname.slice(1);
    await db.sql`select 1`;
    const admin = postgres.openUrl(await postgres.emptyUrl());
    const set = (value: string) =>
      admin.withSession((_, session) =>
        session.script(
          `alter database ${name} set default_transaction_read_only = ${value};
           select pg_terminate_backend(pid) from pg_stat_activity where datname = '${name}'`,
        ),
      );
    await set("on");
    await until(async () => !(await db.ping()));
    await expect(db.sql`select 1`).rejects.toMatchObject({ code: "unavailable" });
    await set("off");
    await until(() => db.ping());
  });

  it("F72: frozen, every statement, transaction and wait ends as unavailable in time; thawed, all works", async () => {
    const db = await postgres.open({ statementMs: 500, connectMs: 500, sessionsMax: 3 });
    await db.sql`create table marks (id int)`;
    await db.transaction(async (sql) => {
      await sql`insert into marks values (1)`;
    });
    postgres.server.pause();
    const start = performance.now();
    try {
      const asked = [
        ...Array.from({ length: 20 }, () => db.sql`select 1`),
        db.transaction(async (sql) => {
          await sql`insert into marks values (2)`;
        }),
      ];
      const results = await Promise.allSettled(asked);
      for (const result of results) {
        expect(result).toMatchObject({ status: "rejected", reason: { code: "unavailable" } });
        expect(result.status === "rejected" && result.reason).toBeInstanceOf(PenstockError);
      }
      expect(performance.now() - start).toBeLessThan(6_000);
    } finally {
      postgres.server.resume();
    }
    await until(() => db.ping());
    expect(await db.sql`select id from marks`).toEqual([{ id: 1 }]);
  });
});
