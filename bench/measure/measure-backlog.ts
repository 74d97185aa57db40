import { setTimeout as delay } from "node:timers/promises";
import type { Running } from "../contenders/contender.ts";
import type { BenchFunction } from "../stack/bench-function.ts";
import type { FunctionReport } from "../stack/function-report.ts";
import { cpuMicros, peakRssMib, resetPeakRss } from "../stack/process-usage.ts";
import type { Workload } from "../workloads.ts";
import type { RunResult } from "./run-result.ts";

const POLL_MS = 200;
const STALLED_MS = 60_000;
/** Time for duplicates to arrive after the last record has. */
const AFTERMATH_MS = 500;

/** Starts a contender on a topic that is filled, and waits until the function has seen all of it. */
export async function measureBacklog(
  workload: Workload,
  contender: string,
  running: Running,
  target: BenchFunction,
): Promise<RunResult> {
  await target.reset(workload.delayMs);
  resetPeakRss(running.pids);
  const before = cpuMicros(running.pids);
  await running.go();
  await untilDelivered(target, workload.records, running);
  const cpu = cpuMicros(running.pids) - before;
  const peak = peakRssMib(running.pids);
  await delay(AFTERMATH_MS);
  const report = await target.report();
  return {
    workload: workload.name,
    contender,
    recordsPerSecond: rate(report),
    cpuMicrosPerRecord: cpu / workload.records,
    peakRssMib: peak,
    p50Ms: null,
    p99Ms: null,
    ...countsOf(report, workload.records),
  };
}

export function countsOf(
  report: FunctionReport,
  expected: number,
): Pick<RunResult, "records" | "recordsPerCall" | "lost" | "duplicated" | "disordered"> {
  return {
    records: report.records,
    recordsPerCall: report.records / Math.max(1, report.calls),
    lost: expected - report.distinct,
    duplicated: report.duplicates,
    disordered: report.disordered,
  };
}

/** The first call's records lie before the measured time. */
function rate(report: FunctionReport): number {
  return ((report.records - report.firstRecords) / (report.lastMs - report.firstMs)) * 1000;
}

/** Returns when `expected` records have arrived, or nothing has moved for a minute (the rest is lost). */
export async function untilDelivered(
  target: BenchFunction,
  expected: number,
  running: Running,
): Promise<void> {
  let distinct = 0;
  let movedAt = performance.now();
  for (;;) {
    await delay(POLL_MS);
    const report = await target.report();
    if (report.distinct >= expected) return;
    if (report.distinct > distinct) movedAt = performance.now();
    distinct = report.distinct;
    if (performance.now() - movedAt > STALLED_MS) {
      process.stderr.write(`stalled at ${distinct} of ${expected}\n`);
      process.stderr.write(`${running.lastLines().join("\n")}\n`);
      return;
    }
  }
}
