import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createTestDatabase, type LocalPostgres, startPostgres } from "@penstock/local";
import { type Database, type DatabaseOptions, migrate, openDatabase } from "@penstock/postgres";
import { keepDatabases, keptLog } from "@penstock/testkit";
import { inject } from "vitest";

/**
 * Databases for one test file. Those of tests are clones of a migrated template, so that each test has its own in some milliseconds.
 */
export interface TestDatabases {
  /** URL of a new, empty database. */
  emptyUrl(): Promise<string>;
  /** URL of a new, migrated database in which no replica becomes leader. */
  migratedUrl(): Promise<string>;
  /** A new, migrated database, closed at the end of the file. */
  open(options?: Partial<DatabaseOptions>): Promise<Database>;
  /** A database for a URL, closed at the end of the file. */
  openUrl(url: string, options?: Partial<DatabaseOptions>): Database;
  stop(): Promise<void>;
}

/** A Postgres for one test file, which may stop, freeze and kill it. */
export interface TestPostgres extends TestDatabases {
  readonly server: LocalPostgres;
}

/** Silent on the screen; kept with the run. */
export const silentLog = keptLog("in-process");

/** @param isDurable whether what was committed must survive a kill; false is faster. */
export async function startTestPostgres(isDurable = false): Promise<TestPostgres> {
  const folder = mkdtempSync(join(tmpdir(), "penstock-postgres-"));
  chmodSync(folder, 0o711);
  const server = await startPostgres({ dataDir: join(folder, "postgres"), fsync: isDurable });
  let count = 0;
  const databases = await testDatabases((template) =>
    server.createDatabase(`test_${++count}`, template),
  );
  return {
    ...databases,
    server,
    async stop() {
      await databases.stop();
      await keepDatabases(server.url);
      await server.stop();
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** On the Postgres of the whole run: for files that leave the server alone. */
export function sharedTestPostgres(): Promise<TestDatabases> {
  return testDatabases((template) => createTestDatabase(inject("POSTGRES"), template));
}

async function testDatabases(
  createDatabase: (template?: string) => Promise<string>,
): Promise<TestDatabases> {
  const opened: Database[] = [];
  const openUrl: TestDatabases["openUrl"] = (url, options) => {
    const db = openDatabase({ url, log: silentLog, ...options });
    opened.push(db);
    return db;
  };
  const templateUrl = await createDatabase();
  const template = openDatabase({ url: templateUrl, log: silentLog });
  await migrate(template, silentLog);
  // Nobody leads: no controller moves on what a test has just set.
  await template.sql`update leadership set lease_until = 'infinity'`;
  await template.close();
  const migratedUrl = () => createDatabase(new URL(templateUrl).pathname.slice(1));
  return {
    emptyUrl: () => createDatabase(),
    migratedUrl,
    openUrl,
    open: async (options) => openUrl(await migratedUrl(), options),
    async stop() {
      await Promise.all(opened.map((db) => db.close()));
    },
  };
}

/** Waits until `claim` holds, at most `limitMs`. */
export async function until(
  claim: () => boolean | Promise<boolean>,
  limitMs = 15_000,
): Promise<void> {
  const end = performance.now() + limitMs;
  while (!(await claim())) {
    if (performance.now() > end) throw new Error(`not so within ${limitMs} ms: ${claim}`);
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
}
