import type { fleet, mapping } from "@penstock/proto";

/** A partition as a node reported it. */
export interface PartitionRow {
  readonly mappingId: string;
  readonly topicId: string;
  readonly partition: number;
  readonly assignmentEpoch: number;
  readonly nodeId: string;
  readonly position: bigint;
  readonly committedOffset: bigint;
  readonly logEndOffset: bigint;
}

export interface ProblemRow {
  readonly mappingId: string;
  readonly index: number;
  /** Empty = healed. */
  readonly code: string;
  readonly message: string;
}

export interface GapRow {
  readonly gapId: string;
  readonly mappingId: string;
  readonly topicId: string;
  readonly gap: mapping.GapReport;
}

export interface EventRow {
  readonly mappingId: string;
  readonly kind: string;
  readonly message: string;
}

/** Reports that go to the tables together, and whom to tell when they are there. */
export interface ReportBatch {
  readonly partitions: Map<string, PartitionRow>;
  readonly problems: Map<string, ProblemRow>;
  readonly gaps: Map<string, GapRow>;
  readonly results: Map<string, string>;
  /** By mapping and kind: the newest. */
  readonly events: Map<string, EventRow>;
  /** By sender: the newest sequence that the batch completes. */
  readonly sequences: Map<object, bigint>;
}

export interface ProgressLimits {
  readonly partitionsMax: number;
  readonly gapsMax: number;
}

/**
 * Reports on their way to the tables. The newest of each partition, problem and result wins, so that an outage of the database
 * costs no memory however long it lasts; each gap is kept, up to a limit. Pure bookkeeping; one for each replica.
 */
export class ProgressBuffer {
  readonly #limits: ProgressLimits;
  #batch: ReportBatch = emptyBatch();

  constructor(limits: ProgressLimits) {
    this.#limits = limits;
  }

  get isEmpty(): boolean {
    return isEmptyBatch(this.#batch);
  }

  /** False, and nothing taken, when the limits are reached: the sender must report again. One report alone always has room. */
  add(sender: object, nodeId: string, progress: fleet.Progress): boolean {
    const { partitions, problems, gaps, results, events, sequences } = this.#batch;
    const isFull =
      partitions.size + progress.partitions.length > this.#limits.partitionsMax ||
      gaps.size + progress.gaps.length > this.#limits.gapsMax;
    if (isFull && partitions.size + gaps.size > 0) return false;
    for (const reported of progress.partitions) keepNewer(partitions, rowOf(nodeId, reported));
    for (const { mappingId, index, code, message } of progress.problems) {
      problems.set(`${mappingId}/${index}`, { mappingId, index, code, message });
    }
    for (const { gapId, mappingId, topicId, gap } of progress.gaps) {
      if (gap !== undefined) gaps.set(gapId, { gapId, mappingId, topicId, gap });
    }
    for (const { mappingId, lastProcessingResult } of progress.results) {
      results.set(mappingId, lastProcessingResult);
    }
    for (const { mappingId, kind, message } of progress.events) {
      events.set(`${mappingId}/${kind}`, { mappingId, kind, message });
    }
    sequences.set(sender, progress.sequence);
    return true;
  }

  /** Everything so far; what comes meanwhile is collected anew. */
  take(): ReportBatch {
    const batch = this.#batch;
    this.#batch = emptyBatch();
    return batch;
  }

  /** Puts a batch back that could not be stored, under what was reported meanwhile. */
  restore(batch: ReportBatch): void {
    const newer = this.#batch;
    for (const row of newer.partitions.values()) keepNewer(batch.partitions, row);
    for (const [key, problem] of newer.problems) batch.problems.set(key, problem);
    for (const [key, gap] of newer.gaps) batch.gaps.set(key, gap);
    for (const [key, result] of newer.results) batch.results.set(key, result);
    for (const [key, event] of newer.events) batch.events.set(key, event);
    for (const [sender, sequence] of newer.sequences) batch.sequences.set(sender, sequence);
    this.#batch = batch;
  }
}

/** Same rule as the statement that stores: a newer epoch wins, in one epoch the higher committed offset, then the later report. */
function keepNewer(rows: Map<string, PartitionRow>, row: PartitionRow): void {
  const key = `${row.mappingId}/${row.topicId}/${row.partition}`;
  const known = rows.get(key);
  if (known !== undefined) {
    if (row.assignmentEpoch < known.assignmentEpoch) return;
    const isSameEpoch = row.assignmentEpoch === known.assignmentEpoch;
    if (isSameEpoch && row.committedOffset < known.committedOffset) return;
  }
  rows.set(key, row);
}

function rowOf(nodeId: string, reported: fleet.ReportedPartition): PartitionRow {
  const { mappingId, topicId, partition, assignmentEpoch } = reported;
  const { position, committedOffset, logEndOffset } = reported;
  return {
    mappingId,
    topicId,
    partition,
    assignmentEpoch,
    nodeId,
    position,
    committedOffset,
    logEndOffset,
  };
}

function emptyBatch(): ReportBatch {
  return {
    partitions: new Map(),
    problems: new Map(),
    gaps: new Map(),
    results: new Map(),
    events: new Map(),
    sequences: new Map(),
  };
}

function isEmptyBatch(batch: ReportBatch): boolean {
  return Object.values(batch).every(({ size }) => size === 0);
}
