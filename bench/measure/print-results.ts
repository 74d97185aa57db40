import type { Workload } from "../workloads.ts";
import type { IdleResult, RunResult } from "./run-result.ts";

/** Medians of a contender's runs of one workload. */
export interface Summary extends RunResult {
  readonly runs: number;
  /** `recordsPerSecond` over that of the loop in the same session; null without one. */
  readonly rateRatio: number | null;
  /** `cpuMicrosPerRecord` over that of the loop. */
  readonly cpuRatio: number | null;
}

export function summarise(results: readonly RunResult[], baseline: string): Summary[] {
  const contenders = [...new Set(results.map(({ contender }) => contender))];
  const summaries = contenders.map((contender) => {
    const runs = results.filter((result) => result.contender === contender);
    const first = runs[0] as RunResult;
    const of = (read: (run: RunResult) => number): number => median(runs.map(read));
    const most = (read: (run: RunResult) => number): number => Math.max(...runs.map(read));
    return {
      ...first,
      runs: runs.length,
      recordsPerSecond: of((run) => run.recordsPerSecond),
      cpuMicrosPerRecord: of((run) => run.cpuMicrosPerRecord),
      peakRssMib: of((run) => run.peakRssMib),
      recordsPerCall: of((run) => run.recordsPerCall),
      p50Ms: first.p50Ms === null ? null : of((run) => run.p50Ms ?? 0),
      p99Ms: first.p99Ms === null ? null : of((run) => run.p99Ms ?? 0),
      lost: most((run) => run.lost),
      duplicated: most((run) => run.duplicated),
      disordered: most((run) => run.disordered),
      rateRatio: null,
      cpuRatio: null,
    };
  });
  const loop = summaries.find(({ contender }) => contender === baseline);
  return summaries.map((summary) => ({
    ...summary,
    rateRatio: loop === undefined ? null : summary.recordsPerSecond / loop.recordsPerSecond,
    cpuRatio: loop === undefined ? null : summary.cpuMicrosPerRecord / loop.cpuMicrosPerRecord,
  }));
}

const COLUMNS = [
  "contender",
  "records/s",
  "×",
  "CPU µs/rec",
  "×",
  "RSS MiB",
  "rec/call",
  "p50 ms",
  "p99 ms",
  "lost",
  "dup",
  "order",
];

export function printSummaries(workload: Workload, summaries: readonly Summary[]): void {
  const rows = summaries.map((one) => [
    one.contender,
    Math.round(one.recordsPerSecond).toLocaleString("en"),
    number(one.rateRatio, 2),
    number(one.cpuMicrosPerRecord, 2),
    number(one.cpuRatio, 2),
    number(one.peakRssMib, 0),
    number(one.recordsPerCall, 1),
    number(one.p50Ms, 1),
    number(one.p99Ms, 1),
    String(one.lost),
    String(one.duplicated),
    String(one.disordered),
  ]);
  const title = `${workload.title} (${workload.name}), median of ${summaries[0]?.runs ?? 0}`;
  printTable(title, [COLUMNS, ...rows]);
}

export function printIdle(workload: Workload, results: readonly IdleResult[]): void {
  const rows = results.map((one) => [
    one.contender,
    String(one.members),
    `${number(one.cpuShareBefore * 100, 2)} %`,
    `${number(one.cpuShare * 100, 2)} %`,
    number(one.rssMibBefore, 0),
    number(one.rssMib, 0),
  ]);
  const columns = ["contender", "members", "core before", "core", "RSS MiB before", "RSS MiB"];
  printTable(`${workload.title} (${workload.name})`, [columns, ...rows]);
}

function printTable(title: string, rows: readonly (readonly string[])[]): void {
  const widths = (rows[0] ?? []).map((_, column) =>
    Math.max(...rows.map((row) => (row[column] ?? "").length)),
  );
  const lines = rows.map((row) =>
    row
      .map((cell, column) =>
        column === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[column] ?? 0),
      )
      .join("  "),
  );
  process.stdout.write(`\n${title}\n${lines.map((line) => `  ${line}`).join("\n")}\n`);
}

function number(value: number | null, digits: number): string {
  return value === null ? "–" : value.toFixed(digits);
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  const upper = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? upper : (upper + (sorted[middle - 1] ?? upper)) / 2;
}
