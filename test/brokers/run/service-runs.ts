/** On what the whole service is run under faults (test/fault). */
export interface ServiceRun {
  readonly version: string;
  readonly protocol: "consumer" | "classic";
  readonly driver?: "native" | "kafkajs";
  /** Default: every file of the project. */
  readonly files?: readonly string[];
}

export const SERVICE_RUNS: readonly ServiceRun[] = [
  { version: "4.3", protocol: "consumer" },
  { version: "4.3", protocol: "classic" },
  { version: "3.9", protocol: "classic" },
];
