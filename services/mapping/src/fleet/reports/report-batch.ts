import type { fleet } from "@penstock/proto";
import { type GapRow, gapRowOf } from "./gap-row.ts";
import { keyOfPair, type NodeMapping } from "./known-mappings.ts";
import { cutMessage } from "./report-fields.ts";

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
  readonly nodeId: string;
  readonly index: number;
  /** Empty = healed. */
  readonly code: string;
  readonly message: string;
}

export interface ResultRow {
  readonly mappingId: string;
  readonly result: string;
}

export interface EventRow {
  readonly mappingId: string;
  readonly kind: string;
  readonly message: string;
}

/** Reports that go to the tables together. */
export interface ReportBatch {
  readonly partitions: Map<string, PartitionRow>;
  readonly problems: Map<string, ProblemRow>;
  readonly gaps: Map<string, GapRow>;
  readonly results: Map<string, ResultRow>;
  /** By mapping and kind: the newest. */
  readonly events: Map<string, EventRow>;
}

/** What one sender said. */
export interface SenderReports {
  readonly nodeId: string;
  readonly batch: ReportBatch;
  /** The newest that the batch completes. */
  readonly sequence: bigint;
}

/** One batch of what the senders say of mappings that they may speak of; `known` by `keyOfPair`. */
export function batchOfKnown(
  reports: Iterable<SenderReports>,
  known: ReadonlySet<string>,
): ReportBatch {
  const merged = emptyBatch();
  for (const { nodeId, batch } of reports) {
    mergeBatch(merged, batch, (mappingId) => known.has(keyOfPair({ nodeId, mappingId })));
  }
  return merged;
}

/** The mappings that the senders speak of, each once for each node. */
export function pairsOf(reports: Iterable<SenderReports>): NodeMapping[] {
  const pairs = new Map<string, NodeMapping>();
  for (const { nodeId, batch } of reports) {
    const { partitions, problems, gaps, results, events } = batch;
    for (const rows of [partitions, problems, gaps, results, events]) {
      for (const { mappingId } of rows.values()) {
        const pair = { nodeId, mappingId };
        pairs.set(keyOfPair(pair), pair);
      }
    }
  }
  return [...pairs.values()];
}

export function batchOf(nodeId: string, progress: fleet.Progress): ReportBatch {
  const batch = emptyBatch();
  for (const reported of progress.partitions) keepNewer(batch.partitions, rowOf(nodeId, reported));
  for (const { mappingId, index, code, message } of progress.problems) {
    const row = { mappingId, nodeId, index, code, message: cutMessage(message) };
    batch.problems.set(`${nodeId}/${mappingId}/${index}`, row);
  }
  for (const reported of progress.gaps) {
    const row = gapRowOf(reported);
    if (row !== null) batch.gaps.set(row.gapId, row);
  }
  for (const { mappingId, lastProcessingResult } of progress.results) {
    batch.results.set(mappingId, { mappingId, result: cutMessage(lastProcessingResult) });
  }
  for (const { mappingId, kind, message } of progress.events) {
    batch.events.set(`${mappingId}/${kind}`, { mappingId, kind, message: cutMessage(message) });
  }
  return batch;
}

/** Adds what is newer. */
export function mergeBatch(
  into: ReportBatch,
  newer: ReportBatch,
  isKnown: (mappingId: string) => boolean = () => true,
): void {
  for (const row of newer.partitions.values()) {
    if (isKnown(row.mappingId)) keepNewer(into.partitions, row);
  }
  mergeRows(into.problems, newer.problems, isKnown);
  mergeRows(into.gaps, newer.gaps, isKnown);
  mergeRows(into.results, newer.results, isKnown);
  mergeRows(into.events, newer.events, isKnown);
}

function mergeRows<Row extends { readonly mappingId: string }>(
  into: Map<string, Row>,
  newer: ReadonlyMap<string, Row>,
  isKnown: (mappingId: string) => boolean,
): void {
  for (const [key, row] of newer) if (isKnown(row.mappingId)) into.set(key, row);
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

export function emptyBatch(): ReportBatch {
  return {
    partitions: new Map(),
    problems: new Map(),
    gaps: new Map(),
    results: new Map(),
    events: new Map(),
  };
}
