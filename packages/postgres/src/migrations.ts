import { createHash } from "node:crypto";
import { readdir, readFile } from "node:fs/promises";
import { PenstockError } from "@penstock/core";
import type { Database, DatabaseLog } from "./database.ts";
import type { Session } from "./session.ts";

/**
 * Brings the schema up to date: numbered plain SQL files, each in a transaction of its own, each once.
 *
 * Each transaction first takes one advisory lock, then looks whether its file was applied meanwhile: of two services that migrate
 * at once one works and the other waits and finds it done. A file that fails half-way leaves nothing. A file that changed after it was applied
 * is refused. Files of a newer version that this one doesn't know are left alone: migrations only add while versions overlap.
 */
export async function migrate(
  db: Database,
  log: DatabaseLog,
  directory: URL = new URL("../migrations/", import.meta.url),
): Promise<void> {
  const files = (await readdir(directory)).filter((file) => /^\d{3}_.*\.sql$/.test(file)).sort();
  for (const file of files) {
    const text = await readFile(new URL(file, directory), "utf8");
    const isNew = await db.withSession((_, session) => apply(session, file, text));
    if (isNew) log.info("schema migrated", { file });
  }
  db.admit();
}

/** Any number, the same in every version. */
const LOCK = 7_400_001;
/** A migration may rewrite a table; another service's may have to be waited for. */
const MIGRATION_MS = 120_000;

async function apply(session: Session, file: string, text: string): Promise<boolean> {
  const checksum = createHash("sha256").update(text).digest("hex");
  await session.script(
    `set local statement_timeout = ${MIGRATION_MS}; set local lock_timeout = ${MIGRATION_MS}`,
  );
  await session.script(`select pg_advisory_xact_lock(${LOCK})`, MIGRATION_MS);
  await session.script(
    `create table if not exists schema_migrations (
       file text primary key, checksum text not null, applied_at timestamptz not null default now())`,
  );
  const applied = (await session.script(
    `select checksum from schema_migrations where file = '${file}'`,
  )) as { checksum: string }[];
  const known = applied[0];
  if (known && known.checksum !== checksum) {
    throw new PenstockError(
      "internal",
      `migration ${file} was applied with another content: restore the file, or use another database`,
    );
  }
  if (known) return false;
  await session.script(text, MIGRATION_MS);
  await session.script(
    `insert into schema_migrations (file, checksum) values ('${file}', '${checksum}')`,
  );
  return true;
}
