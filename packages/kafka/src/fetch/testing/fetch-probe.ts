/** A fetcher whose events are written down, and checked as they come: no hole, no repetition, nothing after the end. */
import {
  type PenstockError,
  type RecordBatch,
  recordKey,
  recordOffset,
  recordValue,
} from "@penstock/core";
import type { Cluster } from "../../cluster/cluster.ts";
import { Fetcher } from "../fetcher.ts";
import type { FetcherOptions } from "../fetcher-options.ts";
import type { FetchKey } from "../partition-fetch.ts";

export interface Delivered {
  readonly offset: bigint;
  readonly key: string | null;
  readonly value: string | null;
  readonly batch: RecordBatch;
  readonly atMs: number;
}

export interface Told {
  readonly key: FetchKey;
  readonly [field: string]: unknown;
}

export type ProbeOptions = Partial<FetcherOptions>;

const DEADLINE_MS = 20_000;

export class FetchProbe {
  readonly fetcher: Fetcher;
  readonly delivered = new Map<FetchKey, Delivered[]>();
  /** Next offset expected, by key. */
  readonly positions = new Map<FetchKey, bigint>();
  readonly ends = new Map<FetchKey, { logStart: bigint; logEnd: bigint; highWatermark: bigint }>();
  readonly outOfRange: Told[] = [];
  readonly undecodable: Told[] = [];
  readonly problems: (PenstockError | null)[] = [];
  /** What must never happen. */
  readonly violations: string[] = [];
  /** Called with each hand-over, inside the event. */
  onRecords: (key: FetchKey, batches: readonly RecordBatch[]) => void = () => {};
  /** Keep batches: their memory stays counted. */
  keepsMemory = false;
  bytesAlive = 0;
  responses = 0;
  #isClosed = false;
  #waiters = new Set<() => void>();

  constructor(cluster: Cluster, topic: string, options: ProbeOptions = {}) {
    this.fetcher = new Fetcher(
      cluster,
      {
        topic,
        fetchBytesMax: 4 << 20,
        fetchPartitionBytesMax: 1 << 20,
        inflatedBytesMax: 16 << 20,
        idleWaitMsMax: 0,
        countMemory: (bytes) => {
          this.bytesAlive += bytes;
        },
        ...options,
      },
      {
        records: (key, batches) => this.#told(() => this.#records(key, batches)),
        logEnds: (key, logStart, logEnd, highWatermark) =>
          this.#told(() => this.ends.set(key, { logStart, logEnd, highWatermark })),
        responseEnd: () => this.#told(() => this.responses++),
        outOfRange: (key, position, logStart, logEnd) =>
          this.#told(() => this.outOfRange.push({ key, position, logStart, logEnd })),
        undecodable: (key, from, to, reason) =>
          this.#told(() => this.undecodable.push({ key, from, to, reason })),
        problem: (problem) => this.#told(() => this.problems.push(problem)),
      },
    );
  }

  set(key: FetchKey, position: bigint): void {
    this.positions.set(key, position);
    this.fetcher.set(key, position);
  }

  values(key: FetchKey): (string | null)[] {
    return (this.delivered.get(key) ?? []).map(({ value }) => value);
  }

  count(): number {
    let count = 0;
    for (const records of this.delivered.values()) count += records.length;
    return count;
  }

  position(key: FetchKey): bigint | undefined {
    return this.positions.get(key);
  }

  /** Resolves when the condition holds; asked after every event, and now and then for what has none. */
  until(what: string, condition: () => boolean, withinMs = DEADLINE_MS): Promise<void> {
    return new Promise((resolve, reject) => {
      const check = () => {
        if (this.violations.length > 0) return end(new Error(this.violations.join("; ")));
        if (condition()) end();
      };
      const end = (error?: Error) => {
        clearTimeout(timer);
        clearInterval(interval);
        this.#waiters.delete(check);
        if (error) reject(error);
        else resolve();
      };
      const timer = setTimeout(() => end(new Error(`not in time: ${what}`)), withinMs);
      const interval = setInterval(check, 25);
      this.#waiters.add(check);
      check();
    });
  }

  async close(): Promise<void> {
    await this.fetcher.close();
    this.#isClosed = true;
  }

  #told(note: () => void): void {
    if (this.#isClosed) this.violations.push("an event after close");
    note();
    for (const check of [...this.#waiters]) check();
  }

  #records(key: FetchKey, batches: readonly RecordBatch[]): void {
    const records = this.delivered.get(key) ?? [];
    this.delivered.set(key, records);
    for (const batch of batches) {
      const expected = this.positions.get(key);
      if (batch.baseOffset !== expected)
        this.violations.push(`partition ${key.partition}: ${batch.baseOffset} after ${expected}`);
      this.positions.set(key, batch.nextOffset);
      for (let row = 0; row < batch.count; row++)
        records.push({
          offset: recordOffset(batch, row),
          key: recordKey(batch, row)?.toString() ?? null,
          value: recordValue(batch, row)?.toString() ?? null,
          batch,
          atMs: performance.now(),
        });
      if (!this.keepsMemory) batch.memory.release();
    }
    this.onRecords(key, batches);
  }
}
