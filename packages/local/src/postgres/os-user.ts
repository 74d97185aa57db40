/**
 * Which operating system user runs Postgres, and what that user can reach.
 *
 * Postgres refuses to run as root. As root we start it as another user that is already there; nothing is
 * added to the machine. That user must be able to walk to the programs and to the data, which isn't so under
 * root's home folder, or in a folder made by mkdtemp.
 */
import { readFileSync, statSync } from "node:fs";
import { dirname } from "node:path";
import { PenstockError } from "@penstock/core";

export interface OsUser {
  readonly uid: number;
  readonly gid: number;
}

const CANDIDATES = ["postgres", "nobody"];

/** Undefined: run as the user that we are. */
export function postgresUser(): OsUser | undefined {
  if (process.getuid?.() !== 0) return undefined;
  const users = readFileSync("/etc/passwd", "utf8")
    .split("\n")
    .map((line) => line.split(":"));
  for (const name of CANDIDATES) {
    const row = users.find((fields) => fields[0] === name);
    if (row !== undefined) return { uid: Number(row[2]), gid: Number(row[3]) };
  }
  throw new PenstockError(
    "unavailable",
    "Postgres doesn't run as root, and there is no user postgres or nobody. Run as another user, or set DATABASE_URL.",
  );
}

/** True when `user` may walk through every folder above `path`. */
export function canReach(user: OsUser | undefined, path: string): boolean {
  if (user === undefined) return true;
  for (let folder = dirname(path); ; folder = dirname(folder)) {
    if (!maySearch(user, folder)) return false;
    if (folder === dirname(folder)) return true;
  }
}

function maySearch(user: OsUser, folder: string): boolean {
  const { mode, uid, gid } = statSync(folder);
  if (uid === user.uid) return (mode & 0o100) !== 0;
  if (gid === user.gid) return (mode & 0o010) !== 0;
  return (mode & 0o001) !== 0;
}
