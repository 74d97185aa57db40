import type { Assignment } from "@penstock/core";

/**
 * What happened on this node, in plain integers: counted per batch, read by observable instruments when metrics are collected. They
 * outlive lanes and event pollers, because a counter must not fall.
 *
 * By partition, polled = settled + filtered + skipped + discarded + in memory (I-20). Gaps count offsets, most of which were never polled.
 */
export interface PartitionCounters {
  readonly mappingId: string;
  readonly topic: string;
  readonly partition: number;
  polled: number;
  filtered: number;
  /** Sent to the function, each attempt counted. */
  invoked: number;
  settled: number;
  /** In failed calls, each attempt counted. */
  failed: number;
  committed: number;
  gap: number;
  /** Polled, and then settled by a gap report. */
  skipped: number;
  /** Put away unsettled, because the assignment ended or the lane started over: they are polled again, here or by the next owner. */
  discarded: number;
}

export interface MappingCounters {
  batches: number;
  payloadBytes: number;
  fetchedBytes: number;
  rebalances: number;
  /** Gap reports by reason. */
  readonly gaps: Map<string, number>;
}

export class Counters {
  readonly #mappings = new Map<string, MappingCounters>();
  readonly #partitions = new Map<string, PartitionCounters>();

  of(mappingId: string): MappingCounters {
    let counters = this.#mappings.get(mappingId);
    if (counters === undefined) {
      counters = { batches: 0, payloadBytes: 0, fetchedBytes: 0, rebalances: 0, gaps: new Map() };
      this.#mappings.set(mappingId, counters);
    }
    return counters;
  }

  partition(mappingId: string, { topic, partition }: Assignment): PartitionCounters {
    const key = `${mappingId}/${topic}/${partition}`;
    let counters = this.#partitions.get(key);
    if (counters === undefined) {
      counters = {
        mappingId,
        topic,
        partition,
        polled: 0,
        filtered: 0,
        invoked: 0,
        settled: 0,
        failed: 0,
        committed: 0,
        gap: 0,
        skipped: 0,
        discarded: 0,
      };
      this.#partitions.set(key, counters);
    }
    return counters;
  }

  mappings(): Iterable<[string, MappingCounters]> {
    return this.#mappings;
  }

  partitions(): Iterable<PartitionCounters> {
    return this.#partitions.values();
  }
}
