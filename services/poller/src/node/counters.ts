import type { InvokeOutcome } from "@penstock/core";

/**
 * What happened on this node, in plain integers: counted per batch, read by observable instruments. By mapping.
 */
export interface MappingCounters {
  polledRecords: number;
  filteredRecords: number;
  invokedRecords: number;
  failedRecords: number;
  succeededRecords: number;
  committedRecords: number;
  gapRecords: number;
  discardedRecords: number;
  batches: number;
  payloadBytes: number;
  rebalances: number;
  gaps: number;
  callsInFlight: number;
  commits: number;
  commitMs: number;
  readonly callsByOutcome: Map<InvokeOutcome["kind"], number>;
  readonly callMsByOutcome: Map<InvokeOutcome["kind"], number>;
}

function newMappingCounters(): MappingCounters {
  return {
    polledRecords: 0,
    filteredRecords: 0,
    invokedRecords: 0,
    failedRecords: 0,
    succeededRecords: 0,
    committedRecords: 0,
    gapRecords: 0,
    discardedRecords: 0,
    batches: 0,
    payloadBytes: 0,
    rebalances: 0,
    gaps: 0,
    callsInFlight: 0,
    commits: 0,
    commitMs: 0,
    callsByOutcome: new Map(),
    callMsByOutcome: new Map(),
  };
}

/** Counters of all mappings that run, or ran, on this node. */
export class Counters {
  readonly #byMapping = new Map<string, MappingCounters>();

  of(mappingId: string): MappingCounters {
    let counters = this.#byMapping.get(mappingId);
    if (counters === undefined) {
      counters = newMappingCounters();
      this.#byMapping.set(mappingId, counters);
    }
    return counters;
  }

  entries(): IterableIterator<[string, MappingCounters]> {
    return this.#byMapping.entries();
  }

  /** Forgets a mapping that is gone. */
  remove(mappingId: string): void {
    this.#byMapping.delete(mappingId);
  }
}
