/** What one run of one contender gave. */
export interface RunResult {
  readonly workload: string;
  readonly contender: string;
  readonly records: number;
  /** From the first to the last delivery at the function. */
  readonly recordsPerSecond: number;
  /** Processor time of the contender's processes for one record. */
  readonly cpuMicrosPerRecord: number;
  /** Largest resident size of its processes together. */
  readonly peakRssMib: number;
  /** Records in one call, on average. */
  readonly recordsPerCall: number;
  /** Produce to function; paced workloads alone. */
  readonly p50Ms: number | null;
  readonly p99Ms: number | null;
  readonly lost: number;
  readonly duplicated: number;
  readonly disordered: number;
}

/** What idle event pollers cost. */
export interface IdleResult {
  readonly workload: string;
  readonly contender: string;
  /** Of the consumer group: the event pollers that are really there. */
  readonly members: number;
  /** Share of one core. */
  readonly cpuShare: number;
  readonly cpuShareBefore: number;
  readonly rssMib: number;
  readonly rssMibBefore: number;
}
