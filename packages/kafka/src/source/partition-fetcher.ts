import type { Assignment, PenstockError, RecordBatch } from "@penstock/core";

/**
 * What the record source needs of a fetcher. A key is the assignment itself: a partition that comes back is another key.
 */
export interface PartitionFetcher {
  /** Starts fetching at a position, or moves there. */
  set(key: Assignment, position: bigint): void;
  pause(key: Assignment): void;
  resume(key: Assignment): void;
  remove(key: Assignment): void;
  close(): Promise<void>;
}

export interface PartitionFetcherEvents {
  records(key: Assignment, batches: readonly RecordBatch[]): void;
  logEnds(key: Assignment, logStart: bigint, logEnd: bigint, highWatermark: bigint): void;
  responseEnd(): void;
  outOfRange(key: Assignment, position: bigint, logStart: bigint, logEnd: bigint): void;
  undecodable(key: Assignment, from: bigint, to: bigint, reason: string): void;
  problem(problem: PenstockError | null): void;
}

export type OpenFetcher = (events: PartitionFetcherEvents) => PartitionFetcher;
