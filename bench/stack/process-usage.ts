/** Processor time and memory of processes, from /proc (Linux). */
import { execFileSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";

const TICKS_PER_SECOND = Number(execFileSync("getconf", ["CLK_TCK"], { encoding: "utf8" }));

/** User and system time of the processes so far, in microseconds. */
export function cpuMicros(pids: readonly number[]): number {
  let ticks = 0;
  for (const pid of pids) {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    // The name may hold spaces; utime and stime are the 12th and 13th field behind it.
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    ticks += Number(fields[11]) + Number(fields[12]);
  }
  return (ticks / TICKS_PER_SECOND) * 1e6;
}

/** Sum of the processes' largest resident sizes since {@link resetPeakRss}, in MiB. */
export function peakRssMib(pids: readonly number[]): number {
  return sumOf(pids, "VmHWM");
}

export function rssMib(pids: readonly number[]): number {
  return sumOf(pids, "VmRSS");
}

export function resetPeakRss(pids: readonly number[]): void {
  for (const pid of pids) {
    try {
      writeFileSync(`/proc/${pid}/clear_refs`, "5");
    } catch {
      // Not permitted everywhere: the peak then includes the start.
    }
  }
}

function sumOf(pids: readonly number[], name: string): number {
  let kib = 0;
  for (const pid of pids) {
    const status = readFileSync(`/proc/${pid}/status`, "utf8");
    kib += Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0);
  }
  return kib / 1024;
}
