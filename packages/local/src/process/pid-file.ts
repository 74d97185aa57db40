/**
 * Pid files: the second line of defence against processes that outlive us (the first is the watchdog).
 *
 * A file names a process by id and start time, so that after a reboot, or when the id is used again, a
 * stranger is never signalled.
 */
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { isAlive, startedAt } from "./process-table.ts";
import type { FarewellSignal } from "./watchdog.ts";

interface PidRecord {
  pid: number;
  startedAt: string;
  farewell: FarewellSignal;
}

const ENDING = ".pid";
const POLL_MS = 50;

/** Path of the pid file of the part `name`. */
export function pidFile(folder: string, name: string): string {
  return join(folder, `${name}${ENDING}`);
}

/** Writes down a process of ours. Does nothing when it has ended already. */
export function recordPid(path: string, pid: number, farewell: FarewellSignal): void {
  const started = startedAt(pid);
  if (started === undefined) return;
  mkdirSync(dirname(path), { recursive: true });
  const record: PidRecord = { pid, startedAt: started, farewell };
  writeFileSync(path, JSON.stringify(record));
}

/** The process that the file names, when it is still that process. */
export function livingPid(path: string): number | undefined {
  return livingRecord(path)?.pid;
}

export interface EndedLeftover {
  name: string;
  pid: number;
}

/**
 * Ends what an earlier run left behind: a polite signal to all, SIGKILL to those that remain after `politeMs`.
 * Answers which ones there were. `except` is left alone.
 */
export async function endLeftovers(
  folder: string,
  politeMs: number,
  except: readonly string[] = [],
): Promise<EndedLeftover[]> {
  const found = pidFiles(folder).flatMap((name) => {
    const record = except.includes(name) ? undefined : livingRecord(pidFile(folder, name));
    return record === undefined ? [] : [{ name, ...record }];
  });
  for (const { pid, farewell } of found) {
    signal(pid, `SIG${farewell}`);
    signal(pid, "SIGCONT");
  }
  const deadline = performance.now() + politeMs;
  while (found.some(({ pid }) => isAlive(pid)) && performance.now() < deadline)
    await delay(POLL_MS);
  for (const { pid } of found) if (isAlive(pid)) signal(pid, "SIGKILL");
  while (found.some(({ pid }) => isAlive(pid))) await delay(POLL_MS);
  for (const name of pidFiles(folder)) {
    if (!except.includes(name)) rmSync(pidFile(folder, name), { force: true });
  }
  return found.map(({ name, pid }) => ({ name, pid }));
}

function pidFiles(folder: string): string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith(ENDING))
      .map((name) => name.slice(0, -ENDING.length));
  } catch {
    return []; // nothing was ever started here
  }
}

function livingRecord(path: string): PidRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(path, "utf8")) as PidRecord;
    return startedAt(record.pid) === record.startedAt ? record : undefined;
  } catch {
    return undefined; // no file, or one that a crash left half written
  }
}

function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch {
    // It ended meanwhile.
  }
}
