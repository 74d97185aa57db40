import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { migrate } from "@penstock/postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { sharedTestPostgres, silentLog, type TestDatabases } from "./test-postgres.ts";

let postgres: TestDatabases;
beforeAll(async () => {
  postgres = await sharedTestPostgres();
});
afterAll(() => postgres.stop());

function folder(files: Record<string, string>): { url: URL; remove(): void } {
  const path = mkdtempSync(join(tmpdir(), "penstock-migrations-"));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(path, name), text);
  return {
    url: pathToFileURL(`${path}/`),
    remove: () => rmSync(path, { recursive: true }),
  };
}

describe("migrate", () => {
  it("F76: of several that migrate at once one works, the others wait, and all succeed", async () => {
    const url = await postgres.emptyUrl();
    const applied: unknown[] = [];
    const log = {
      ...silentLog,
      info: (message: string, fields: { file?: string } = {}) => {
        if (message === "schema migrated") applied.push(fields.file);
      },
    };
    await Promise.all([1, 2, 3].map(() => migrate(postgres.openUrl(url), log)));
    expect(applied).toContain("001_initial.sql");
    expect(new Set(applied).size).toBe(applied.length);
    await postgres.openUrl(url).sql`select * from mappings`;
  });

  it("F76: a migration that fails half-way leaves nothing, and goes through once it is mended", async () => {
    const db = postgres.openUrl(await postgres.emptyUrl());
    const broken = folder({ "001_a.sql": "create table a (id int); create table a (id int);" });
    await expect(migrate(db, silentLog, broken.url)).rejects.toMatchObject({ code: "internal" });
    broken.remove();
    const mended = folder({ "001_a.sql": "create table a (id int);" });
    await migrate(db, silentLog, mended.url);
    mended.remove();
    expect(await db.sql`select * from a`).toEqual([]);
  });

  it("F76: an old program leaves the migrations of a newer one alone", async () => {
    const db = postgres.openUrl(await postgres.emptyUrl());
    const newer = folder({
      "001_a.sql": "create table a (id int);",
      "002_b.sql": "create table b (id int);",
    });
    const older = folder({ "001_a.sql": "create table a (id int);" });
    await migrate(db, silentLog, newer.url);
    await migrate(db, silentLog, older.url);
    newer.remove();
    older.remove();
    expect(await db.sql`select * from b`).toEqual([]);
  });

  it("refuses a file that changed after it was applied", async () => {
    const db = postgres.openUrl(await postgres.emptyUrl());
    const first = folder({ "001_a.sql": "create table a (id int);" });
    const changed = folder({ "001_a.sql": "create table a (id bigint);" });
    await migrate(db, silentLog, first.url);
    await expect(migrate(db, silentLog, changed.url)).rejects.toThrow(/001_a\.sql/);
    first.remove();
    changed.remove();
  });
});
