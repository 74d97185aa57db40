import type { Workload } from "../workloads.ts";

/** Something that brings records from a topic to the function. */
export interface Contender {
  readonly name: string;
  /** Whether it can run the workload at all. */
  readonly runs: (workload: Workload) => boolean;
  /** Starts its processes; nothing is consumed before `go`. */
  readonly start: (task: Task) => Promise<Running>;
}

export interface Task {
  readonly workload: Workload;
  readonly bootstrapServers: string;
  readonly topic: string;
  /** Unique for this run. */
  readonly group: string;
  readonly functionUrl: string;
  /** An empty database. */
  readonly databaseUrl: () => Promise<string>;
  /** A folder of its own. */
  readonly dataDir: string;
  /** Node flags for the measured processes, such as `--cpu-prof`. */
  readonly nodeFlags: readonly string[];
}

export interface Running {
  /** The processes that are measured. */
  readonly pids: readonly number[];
  go(): Promise<void>;
  /** What was said last, for a run that failed. */
  lastLines(): readonly string[];
  stop(): Promise<void>;
}
