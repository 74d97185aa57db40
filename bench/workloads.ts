/** What is measured. */
export interface Workload {
  readonly name: string;
  readonly title: string;
  /** `backlog`: records lie there before. `paced`: they are produced while they are consumed. `idle`: none. */
  readonly kind: "backlog" | "paced" | "idle";
  readonly records: number;
  readonly valueBytes: number;
  readonly partitions: number;
  readonly batchSize: number;
  /** Event pollers; Penstock alone. */
  readonly eventPollers: number;
  /** The function takes this long over each call. */
  readonly delayMs: number;
  /** Records a second, when paced. */
  readonly recordsPerSecond: number;
  /** Maximum batching window; the loop has none. */
  readonly windowMs: number;
}

const BACKLOG: Omit<Workload, "name" | "title" | "records" | "valueBytes" | "batchSize"> = {
  kind: "backlog",
  partitions: 6,
  eventPollers: 1,
  delayMs: 0,
  recordsPerSecond: 0,
  windowMs: 0,
};

export const WORKLOADS: readonly Workload[] = [
  {
    ...BACKLOG,
    name: "100b-batch100",
    title: "1 M × 100 B, batch 100",
    records: 1_000_000,
    valueBytes: 100,
    batchSize: 100,
  },
  {
    ...BACKLOG,
    name: "100b-batch1000",
    title: "1 M × 100 B, batch 1000",
    records: 1_000_000,
    valueBytes: 100,
    batchSize: 1000,
  },
  {
    ...BACKLOG,
    name: "1kb-batch100",
    title: "200 k × 1 KB, batch 100",
    records: 200_000,
    valueBytes: 1000,
    batchSize: 100,
  },
  {
    ...BACKLOG,
    name: "1kb-batch1000",
    title: "200 k × 1 KB, batch 1000",
    records: 200_000,
    valueBytes: 1000,
    batchSize: 1000,
  },
  {
    ...BACKLOG,
    name: "1kb-single",
    title: "100 k × 1 KB, one record per call",
    records: 100_000,
    valueBytes: 1000,
    batchSize: 1,
  },
  {
    ...BACKLOG,
    name: "100b-10ms",
    title: "300 k × 100 B, batch 100, function of 10 ms",
    records: 300_000,
    valueBytes: 100,
    batchSize: 100,
    delayMs: 10,
  },
  {
    ...BACKLOG,
    name: "latency",
    title: "1 000 records/s, window 0",
    kind: "paced",
    records: 20_000,
    valueBytes: 100,
    batchSize: 100,
    recordsPerSecond: 1000,
  },
  {
    ...BACKLOG,
    name: "idle",
    title: "200 idle event pollers",
    kind: "idle",
    records: 0,
    valueBytes: 0,
    batchSize: 100,
    partitions: 200,
    eventPollers: 200,
  },
];
