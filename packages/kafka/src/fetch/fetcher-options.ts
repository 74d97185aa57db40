/** What a fetcher is given, and what it tells. */
import type { Clock, ObserveFetch, PenstockError, RecordBatch } from "@penstock/core";
import type { CountMemory } from "../decode/counted-memory.ts";
import type { FetchKey } from "./partition-fetch.ts";

export interface FetcherOptions {
  readonly topic: string;
  /** Default: the process's. */
  readonly clock?: Clock;
  /** Most bytes of one fetch response, and of one partition in it; one batch that is larger comes alone. */
  readonly fetchBytesMax: number;
  readonly fetchPartitionBytesMax: number;
  /** Most bytes that one compressed batch may inflate to. */
  readonly inflatedBytesMax: number;
  readonly countMemory: CountMemory;
  readonly observeFetch?: ObserveFetch;
  /** How long a broker may hold a request while it has nothing. Default 500. */
  readonly maxWaitMs?: number;
  /** The same once nothing has come for a while: an idle fetcher then costs next to nothing. Default 5 s. */
  readonly idleWaitMsMax?: number;
  /** How long after that the answer may take. Default 10 s. */
  readonly answerGraceMs?: number;
  /** Rack to prefer replicas of. Default: none. */
  readonly clientRack?: string;
}

export interface FetcherEvents<K extends FetchKey> {
  /** The ends of the log: its first offset, the last stable offset, the high watermark. Before the records of the same answer. */
  logEnds(key: K, logStart: bigint, logEnd: bigint, highWatermark: bigint): void;
  records(key: K, batches: readonly RecordBatch[]): void;
  /** All partitions of one answer were handed over. */
  responseEnd(): void;
  /** The position is before `logStart` or after `logEnd` (here: the high watermark). Stopped until `set`. */
  outOfRange(key: K, position: bigint, logStart: bigint, logEnd: bigint): void;
  /** Records of `[from, to)` can't be given; what was before them has been handed over. Stopped until `set`. */
  undecodable(key: K, from: bigint, to: bigint, reason: string): void;
  /** The present problem of the fetcher as a whole, null when it healed. Partitions that have none go on. */
  problem(problem: PenstockError | null): void;
}
