import { parseArgs } from "node:util";
import { WORKLOADS, type Workload } from "./workloads.ts";

/** What to run. `--help` in README.md. */
export interface BenchOptions {
  readonly workloads: readonly Workload[];
  /** Names; empty = all. */
  readonly contenders: readonly string[];
  readonly runs: number;
  readonly out: string;
  /** Folder for processor profiles of the measured processes; null = none. */
  readonly profileDir: string | null;
}

export function parseBenchOptions(args: readonly string[]): BenchOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      only: { type: "string" },
      contenders: { type: "string" },
      runs: { type: "string", default: "3" },
      records: { type: "string" },
      out: { type: "string", default: "bench/results/latest.json" },
      profile: { type: "string" },
    },
  });
  const only = namesOf(values.only);
  const unknown = only.filter((name) => !WORKLOADS.some((workload) => workload.name === name));
  if (unknown.length > 0) {
    const known = WORKLOADS.map(({ name }) => name).join(", ");
    throw new Error(`unknown workload ${unknown.join(", ")}; there are ${known}`);
  }
  const records = values.records === undefined ? null : positive("--records", values.records);
  return {
    workloads: WORKLOADS.filter(({ name }) => only.length === 0 || only.includes(name)).map(
      (workload) => ({ ...workload, records: Math.min(workload.records, records ?? Infinity) }),
    ),
    contenders: namesOf(values.contenders),
    runs: positive("--runs", values.runs),
    out: values.out,
    profileDir: values.profile ?? null,
  };
}

function namesOf(text: string | undefined): string[] {
  return text === undefined ? [] : text.split(",").map((name) => name.trim());
}

function positive(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1) throw new Error(`${name} must be a positive number`);
  return value;
}
