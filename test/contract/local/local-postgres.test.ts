import { mkdirSync, mkdtempSync, rmSync, statSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createDatabase, isAlive, type LocalPostgres, startPostgres } from "@penstock/local";
import postgres from "postgres";
import { afterAll, beforeAll, describe, expect, it } from "vitest";

// Made by mkdtemp, so only its owner can walk through it: as under root's home.
const folder = mkdtempSync(join(tmpdir(), "penstock-postgres-"));
const lines: string[] = [];
let server: LocalPostgres;

beforeAll(async () => {
  const dataDir = join(folder, "inner", "postgres");
  mkdirSync(dataDir, { recursive: true });
  server = await startPostgres({ dataDir, log: (line) => lines.push(line) });
});

afterAll(async () => {
  await server.stop();
  rmSync(folder, { recursive: true, force: true });
  rmSync(server.dataDir, { recursive: true, force: true });
});

async function query(text: string, url = server.url): Promise<readonly postgres.Row[]> {
  const sql = postgres(url, { max: 1, onnotice: () => {} });
  try {
    return await sql.unsafe(text);
  } finally {
    await sql.end();
  }
}

describe("a local Postgres", () => {
  it("is PostgreSQL 18 and listens on loopback only", async () => {
    const [row] = await query("SELECT version(), current_setting('listen_addresses') AS host");
    expect(row?.version).toMatch(/^PostgreSQL 18\./);
    expect(row?.host).toBe("127.0.0.1");
  });

  it("says where its data went when its user can't reach the folder", () => {
    if (process.getuid?.() !== 0) return expect(server.dataDir).toContain(folder);
    expect(server.dataDir).not.toContain(folder);
    expect(lines.join("\n")).toContain(server.dataDir);
  });

  it("writes to disk before it acknowledges, unless told otherwise", async () => {
    const [row] = await query("SELECT current_setting('fsync') AS fsync");
    expect(row?.fsync).toBe("on");
  });

  it("wants a password, which only its owner can read", async () => {
    const url = new URL(server.url);
    url.password = "guessed";
    await expect(query("SELECT 1", url.href)).rejects.toThrow(/password/);
    expect(statSync(join(server.dataDir, "password")).mode & 0o777).toBe(0o600);
  });

  it("makes databases, also as copies of a template", async () => {
    const template = await server.createDatabase("a_template");
    await query("CREATE TABLE things (name text)", template);
    const copy = await createDatabase(server.url, "a_copy", "a_template");
    expect(await query("SELECT * FROM things", copy)).toHaveLength(0);
    await expect(server.createDatabase('odd" name')).rejects.toThrow("plain name");
  });

  it("keeps its port and its data over a restart and over kill -9", async () => {
    await query("CREATE TABLE kept AS SELECT 7 AS number");
    await server.restart();
    expect((await query("SELECT number FROM kept"))[0]?.number).toBe(7);
    const { pid } = server;
    await server.kill();
    expect(isAlive(pid)).toBe(false);
    await server.restart();
    expect((await query("SELECT number FROM kept"))[0]?.number).toBe(7);
  });

  it("keeps connections open and silent while paused", async () => {
    const sql = postgres(server.url, { max: 1 });
    await sql`SELECT 1`;
    server.pause();
    let hasAnswered = false;
    const answer = sql`SELECT 2 AS two`.then((rows) => {
      hasAnswered = true;
      return rows;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(hasAnswered).toBe(false);
    server.resume();
    expect((await answer)[0]?.two).toBe(2);
    await sql.end();
  });
});
