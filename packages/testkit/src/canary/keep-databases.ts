/** Keeps every row of every database of a test server, for the search for planted secrets. Bytes are written as hexadecimal. */
import { PenstockError } from "@penstock/core";
import { type Database, openDatabase } from "@penstock/postgres";
import { keepText, runFolder } from "./run-folder.ts";

const ROWS_MAX = 20_000;
const silentLog = { debug() {}, info() {}, warn() {}, error() {} };

/** `serverUrl`: any database of the server. A server that the test has stopped has nothing to tell any more. */
export async function keepDatabases(serverUrl: string): Promise<void> {
  if (runFolder() === null) return;
  try {
    await keepAll(serverUrl);
  } catch (error) {
    if (!(error instanceof PenstockError) || error.code !== "unavailable") throw error;
  }
}

async function keepAll(serverUrl: string): Promise<void> {
  const names = await ask(
    serverUrl,
    ({ sql }) => sql<{ name: string }[]>`
      select datname as name from pg_database where not datistemplate and datallowconn`,
  );
  for (const { name } of names) {
    const url = new URL(serverUrl);
    url.pathname = `/${name}`;
    const rows = await ask(url.href, rowsOf);
    if (rows.length > 0) keepText("postgres", name, `${rows.join("\n")}\n`);
  }
}

/** Tables are not parameters, so the server itself goes through them. */
function rowsOf(database: Database): Promise<readonly string[]> {
  return database.transaction(async (sql) => {
    await sql`
      create function pg_temp.every_row(rows_max int) returns setof text language plpgsql as $$
      declare one record;
      begin
        for one in select schemaname, tablename from pg_tables
                    where schemaname not in ('pg_catalog', 'information_schema') loop
          return query execute format('select %L || t::text from %I.%I t limit %s',
            one.tablename || ' ', one.schemaname, one.tablename, rows_max);
        end loop;
      end $$`;
    const rows = await sql<{ row: string }[]>`select row from pg_temp.every_row(${ROWS_MAX}) row`;
    return rows.map(({ row }) => row);
  });
}

async function ask<T>(url: string, question: (database: Database) => Promise<T>): Promise<T> {
  const database = openDatabase({ url, log: silentLog });
  try {
    return await question(database);
  } finally {
    await database.close();
  }
}
