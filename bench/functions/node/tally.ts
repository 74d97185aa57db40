import type { FunctionReport } from "../../stack/function-report.ts";

const BUCKET_MS = 0.1;
const BUCKETS = 600_000;
const MARK = '"partition":';

interface PartitionTally {
  seen: Set<number>;
  highest: number;
}

/** What the function has seen since the last reset. */
export class Tally {
  #delayMs = 0;
  #calls = 0;
  #records = 0;
  #firstRecords = 0;
  #duplicates = 0;
  #disordered = 0;
  #firstMs = 0;
  #lastMs = 0;
  #partitions = new Map<number, PartitionTally>();
  readonly #latencies = new Uint32Array(BUCKETS);

  reset(delayMs: number): void {
    this.#delayMs = delayMs;
    this.#calls = this.#records = this.#firstRecords = this.#duplicates = this.#disordered = 0;
    this.#firstMs = this.#lastMs = 0;
    this.#partitions = new Map();
    this.#latencies.fill(0);
  }

  /** Counts a batch; returns how long the function takes over it, ms. */
  add(body: Buffer, nowMs: number): number {
    if (this.#calls === 0) this.#firstMs = nowMs;
    this.#lastMs = nowMs;
    this.#calls++;
    const text = body.toString("latin1");
    for (let at = text.indexOf(MARK); at >= 0; at = text.indexOf(MARK, at + MARK.length)) {
      const part = text.slice(at, at + 90);
      const numbers = /^"partition":(\d+),"offset":(\d+),"timestamp":(\d+)/.exec(part);
      if (numbers !== null) {
        this.#count(Number(numbers[1]), Number(numbers[2]), nowMs - Number(numbers[3]));
      }
    }
    if (this.#calls === 1) this.#firstRecords = this.#records;
    return this.#delayMs;
  }

  report(): FunctionReport {
    return {
      calls: this.#calls,
      records: this.#records,
      distinct: this.#records - this.#duplicates,
      duplicates: this.#duplicates,
      disordered: this.#disordered,
      firstRecords: this.#firstRecords,
      firstMs: this.#firstMs,
      lastMs: this.#lastMs,
      p50Ms: this.#quantile(0.5),
      p99Ms: this.#quantile(0.99),
      maxMs: this.#quantile(1),
    };
  }

  #count(number: number, offset: number, latencyMs: number): void {
    this.#records++;
    const partition = this.#partitions.get(number) ?? { seen: new Set(), highest: -1 };
    this.#partitions.set(number, partition);
    if (partition.seen.has(offset)) this.#duplicates++;
    else if (offset < partition.highest) this.#disordered++;
    partition.seen.add(offset);
    partition.highest = Math.max(partition.highest, offset);
    const bucket = Math.min(BUCKETS - 1, Math.max(0, Math.floor(latencyMs / BUCKET_MS)));
    this.#latencies[bucket] = (this.#latencies[bucket] as number) + 1;
  }

  #quantile(share: number): number {
    const rank = Math.round(share * this.#records) - 1;
    let count = 0;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      const here = this.#latencies[bucket] as number;
      count += here;
      if (count > rank && here > 0) return (bucket + 1) * BUCKET_MS;
    }
    return 0;
  }
}
