import { createHash } from "node:crypto";
import { chmodSync, lstatSync, mkdirSync } from "node:fs";
import { join } from "node:path";
import { PenstockError } from "@penstock/core";

/**
 * A folder outside `wanted`, always the same one for the same `wanted`, that every user may walk through.
 * `/var/tmp` is kept over a restart of the machine. Refuses a folder that somebody else has put there.
 */
export function fallbackFolder(wanted: string): string {
  const key = createHash("sha256").update(wanted).digest("hex").slice(0, 12);
  const folder = join("/var/tmp", `penstock-${key}`);
  mkdirSync(folder, { recursive: true, mode: 0o711 });
  const { uid } = lstatSync(folder);
  if (lstatSync(folder).isSymbolicLink() || uid !== process.getuid?.()) {
    throw new PenstockError("unavailable", `${folder} belongs to somebody else. Remove it.`);
  }
  chmodSync(folder, 0o711);
  return folder;
}
