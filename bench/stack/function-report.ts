/** What the benchmark's function answers to GET /report. Times are milliseconds since the epoch. */
export interface FunctionReport {
  readonly calls: number;
  readonly records: number;
  /** Records, each counted once. */
  readonly distinct: number;
  readonly duplicates: number;
  /** Records delivered for the first time behind a later one of their partition. */
  readonly disordered: number;
  /** Records of the first call. */
  readonly firstRecords: number;
  readonly firstMs: number;
  readonly lastMs: number;
  /** From a record's timestamp (full milliseconds) to its arrival: up to 1 ms too high. */
  readonly p50Ms: number;
  readonly p99Ms: number;
  readonly maxMs: number;
}
