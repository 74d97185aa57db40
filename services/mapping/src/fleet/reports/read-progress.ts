import type { fleet } from "@penstock/proto";
import {
  BIGINT_MAX,
  INT_MAX,
  requireAtLeast,
  requireAtMost,
  requireCount,
  requireLowerUuid,
  requireText,
  requireTime,
} from "./report-fields.ts";

/** Most entries of one message: more than a node can have. */
const ENTRIES_MAX = 100_000;
/** As the table of events has it. */
const EVENT_KIND_CHARACTERS_MAX = 64;

/** Throws INVALID_ARGUMENT when a report could not be stored. */
export function checkProgress(progress: fleet.Progress): void {
  requireCount("progress.partitions", progress.partitions.length, ENTRIES_MAX);
  requireCount("progress.problems", progress.problems.length, ENTRIES_MAX);
  requireCount("progress.results", progress.results.length, ENTRIES_MAX);
  requireCount("progress.events", progress.events.length, ENTRIES_MAX);
  requireCount("progress.gaps", progress.gaps.length, ENTRIES_MAX);
  for (const one of progress.partitions) {
    requireLowerUuid("partitions.mapping_id", one.mappingId);
    requireLowerUuid("partitions.topic_id", one.topicId);
    requireAtLeast("partitions.partition", one.partition, 0);
    requireAtLeast("partitions.assignment_epoch", one.assignmentEpoch, 0);
    requireAtLeast("partitions.position", one.position, -1n);
    requireAtLeast("partitions.committed_offset", one.committedOffset, -1n);
    requireAtLeast("partitions.log_end_offset", one.logEndOffset, -1n);
  }
  for (const one of progress.problems) {
    requireLowerUuid("problems.mapping_id", one.mappingId);
    requireAtMost("problems.index", one.index, INT_MAX);
    requireText("problems.code", one.code, 100);
  }
  for (const one of progress.events) {
    requireLowerUuid("events.mapping_id", one.mappingId);
    requireText("events.kind", one.kind, EVENT_KIND_CHARACTERS_MAX, 1);
  }
  for (const one of progress.results) requireLowerUuid("results.mapping_id", one.mappingId);
  for (const one of progress.gaps) {
    requireLowerUuid("gaps.gap_id", one.gapId);
    requireLowerUuid("gaps.mapping_id", one.mappingId);
    requireLowerUuid("gaps.topic_id", one.topicId);
    requireText("gaps.gap.topic", one.gap?.topic ?? "", 249);
    requireAtLeast("gaps.gap.partition", one.gap?.partition ?? 0, 0);
    requireAtLeast("gaps.gap.first_offset", one.gap?.firstOffset ?? 0n, 0n);
    requireAtLeast("gaps.gap.last_offset", one.gap?.lastOffset ?? 0n, one.gap?.firstOffset ?? 0n);
    requireTime("gaps.gap.time", one.gap?.time);
  }
}

export function checkHoldings(holdings: fleet.Holdings): void {
  requireCount("holdings.held", holdings.held.length, ENTRIES_MAX);
  requireAtMost("holdings.applied_generation", holdings.appliedGeneration, BIGINT_MAX);
  for (const one of holdings.held) {
    requireAtMost("held.index", one.index, INT_MAX);
    requireAtMost("held.revision", one.revision, BIGINT_MAX);
    requireLowerUuid("held.mapping_id", one.mappingId);
    requireText("held.member_id", one.memberId, 200);
  }
}

export function checkShareUse(use: fleet.ShareUse): void {
  requireCount("share_use.uses", use.uses.length, ENTRIES_MAX);
  for (const one of use.uses) requireText("uses.function_name", one.functionName, 64);
}
