/**
 * A lock between processes: a folder that only one of them can make, with the holder's id inside.
 * A lock whose holder has gone is taken over, so a killed set-up never blocks the next one.
 */
import { mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { PenstockError } from "@penstock/core";
import { startedAt } from "./process-table.ts";

const POLL_MS = 100;

/** Runs `work` while holding the lock folder `path`; waits for another holder at most `waitMsMax`. */
export async function withFolderLock<T>(
  path: string,
  waitMsMax: number,
  work: () => Promise<T>,
): Promise<T> {
  const deadline = performance.now() + waitMsMax;
  mkdirSync(dirname(path), { recursive: true });
  while (!tryLock(path)) {
    if (performance.now() > deadline) {
      throw new PenstockError(
        "unavailable",
        `Another process holds ${path}. Remove it if none does.`,
      );
    }
    await delay(POLL_MS);
  }
  try {
    return await work();
  } finally {
    rmSync(path, { recursive: true, force: true });
  }
}

function tryLock(path: string): boolean {
  // The folder appears together with its holder's name, because it is renamed into place.
  const own = `${path}.${process.pid}`;
  rmSync(own, { recursive: true, force: true });
  mkdirSync(own);
  writeFileSync(join(own, "holder"), `${process.pid} ${startedAt(process.pid) ?? ""}`);
  try {
    renameSync(own, path); // fails on a folder that has content
    return true;
  } catch {
    rmSync(own, { recursive: true, force: true });
  }
  removeAbandoned(path);
  return false;
}

function removeAbandoned(path: string): void {
  try {
    const [pid = "", ...started] = readFileSync(join(path, "holder"), "utf8").split(" ");
    if (startedAt(Number(pid)) === started.join(" ")) return;
    // Renamed first: of two processes that see the abandoned lock only one gets it out of the way.
    const grave = `${path}.abandoned.${process.pid}`;
    renameSync(path, grave);
    rmSync(grave, { recursive: true, force: true });
  } catch {
    // Released or taken over meanwhile: the next round sees what is true then.
  }
}
