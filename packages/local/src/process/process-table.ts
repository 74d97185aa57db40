/** What the operating system says about a process: is it there, when did it start, which children has it. */
import { execFileSync } from "node:child_process";
import { readdirSync, readFileSync } from "node:fs";

/** True while a process with this id exists (a zombie counts as gone). */
export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
  } catch (cause) {
    return (cause as NodeJS.ErrnoException).code === "EPERM";
  }
  return statFields(pid)?.[0] !== "Z";
}

/**
 * A text that tells this process apart from a later one with the same id, or undefined when there is none.
 * Its meaning differs by system: compare for equality only.
 */
export function startedAt(pid: number): string | undefined {
  const fields = statFields(pid);
  // proc(5): field 22 is the start time in ticks since boot; field 3 is the first one here.
  if (fields !== undefined) return fields[0] === "Z" ? undefined : `${bootId()}:${fields[19]}`;
  try {
    const text = execFileSync("ps", ["-o", "lstart=", "-p", String(pid)], { encoding: "utf8" });
    return text.trim() || undefined;
  } catch {
    return undefined; // ps answers 1 when there is no such process
  }
}

/** Ids of the direct children of `pid`. */
export function childrenOf(pid: number): number[] {
  const parents = parentsByProc() ?? parentsByPs();
  return parents.filter(([, parent]) => parent === pid).map(([child]) => child);
}

function statFields(pid: number): string[] | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The command name is in parentheses and may itself hold spaces and parentheses.
    return text.slice(text.lastIndexOf(")") + 2).split(" ");
  } catch {
    return undefined; // no such process, or no procfs on this system
  }
}

function bootId(): string {
  try {
    return readFileSync("/proc/sys/kernel/random/boot_id", "utf8").trim();
  } catch {
    return ""; // some containers hide it; the start ticks alone then have to do
  }
}

function parentsByProc(): [number, number][] | undefined {
  let names: string[];
  try {
    names = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
  } catch {
    return undefined; // no procfs
  }
  if (names.length === 0) return undefined;
  return names.map((name) => [Number(name), Number(statFields(Number(name))?.[1] ?? -1)]);
}

function parentsByPs(): [number, number][] {
  const text = execFileSync("ps", ["-A", "-o", "pid=,ppid="], { encoding: "utf8" });
  return text
    .trim()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .map(([pid = -1, parent = -1]) => [pid, parent]);
}
