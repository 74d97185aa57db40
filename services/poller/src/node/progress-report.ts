import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { GapReason, PenstockError } from "@penstock/core";
import { fleet, mapping } from "@penstock/proto";
import type { EventPollerReports, Gap } from "../event-poller/context.ts";
import type { EventPoller } from "../event-poller/event-poller.ts";
import type { Lane } from "../lane/lane.ts";

/** Gaps that wait to be stored; more are counted as dropped and stay in the log and with their lane's commits. */
const UNSTORED_GAPS_MAX = 10_000;

/**
 * Collects what happened between two progress messages: changed partitions, problems, results, gaps.
 *
 * Gaps, and the last word on partitions that were given up, stay until the mapping service says that they are stored, and are sent again after a reconnect. Partitions and problems are
 * the newest state and may be lost with a message, because a reconnect sends all of them again; so may results, which the next call renews.
 */
export class ProgressReport implements EventPollerReports {
  readonly #onChange: () => void;
  readonly #problems = new Map<string, fleet.ReportedProblem>();
  /** By mapping and kind: the first since the last message, and how many more there were. */
  readonly #events = new Map<string, { readonly event: fleet.ReportedEvent; more: number }>();
  readonly #results = new Map<string, { result: string; settled: number }>();
  /** By gap id. */
  readonly #gaps = new Map<string, UnstoredGap>();
  /** By mapping and partition, as the gaps: partitions that were given up. */
  readonly #ended = new Map<string, { readonly row: fleet.ReportedPartition; sentIn: bigint }>();
  #sequence = 0n;
  #isWhole = false;
  droppedGaps = 0;

  constructor(onChange: () => void) {
    this.#onChange = onChange;
  }

  gap(gap: Gap): void {
    if (this.#gaps.size >= UNSTORED_GAPS_MAX) {
      this.droppedGaps++;
      return;
    }
    const { gapId } = gap;
    const reported = create(fleet.ReportedGapSchema, {
      gapId,
      mappingId: gap.mappingId,
      topicId: gap.topicId,
      gap: {
        topic: gap.topic,
        partition: gap.partition,
        firstOffset: gap.firstOffset,
        lastOffset: gap.lastOffset,
        reason: REASONS[gap.reason],
        message: gap.message,
        time: timestampFromMs(gap.wallMs),
      },
    });
    this.#gaps.set(gapId, { gap: reported, told: gap, sentIn: 0n });
  }

  problem(mappingId: string, index: number, problem: PenstockError | null): void {
    this.#problems.set(
      `${mappingId}/${index}`,
      create(fleet.ReportedProblemSchema, {
        mappingId,
        index,
        code: problem?.code ?? "",
        message: problem?.message ?? "",
      }),
    );
  }

  result(mappingId: string, result: string, settledRecords: number): void {
    const present = this.#results.get(mappingId);
    if (present === undefined) {
      this.#results.set(mappingId, { result, settled: settledRecords });
      return;
    }
    present.result = result;
    present.settled += settledRecords;
  }

  happened(mappingId: string, kind: string, message: string): void {
    const key = `${mappingId}/${kind}`;
    const present = this.#events.get(key);
    if (present !== undefined) present.more++;
    else {
      const event = create(fleet.ReportedEventSchema, { mappingId, kind, message });
      this.#events.set(key, { event, more: 0 });
    }
  }

  ended(mappingId: string, lane: Lane): void {
    const { topicId, partition } = lane.assignment;
    const row = rowOf(mappingId, lane);
    this.#ended.set(`${mappingId}/${topicId}/${partition}`, { row, sentIn: 0n });
  }

  /** Whether something must be told before what is held: the archive is complete when nobody holds a partition any more. */
  get hasLastWords(): boolean {
    for (const { sentIn } of this.#ended.values()) if (sentIn === 0n) return true;
    return false;
  }

  changed(): void {
    this.#onChange();
  }

  /** After a reconnect: the next message carries every partition, every event poller's problem or health, and every unstored gap. */
  startOver(): void {
    this.#isWhole = true;
    for (const entry of this.#gaps.values()) entry.sentIn = 0n;
    for (const entry of this.#ended.values()) entry.sentIn = 0n;
  }

  /** The message of this second, null when nothing changed. */
  next(pollers: Iterable<EventPoller>): fleet.Progress | null {
    const ended = [...this.#ended.values()].filter(({ sentIn }) => sentIn === 0n);
    const partitions = ended.map(({ row }) => row);
    for (const poller of pollers) {
      const { mappingId, index } = poller.settings();
      if (this.#isWhole && !poller.isClosing) this.problem(mappingId, index, poller.presentProblem);
      for (const lane of poller.lanes()) {
        if (lane.phase.is === "starting" || !(lane.hasChanged || this.#isWhole)) continue;
        lane.hasChanged = false;
        partitions.push(rowOf(mappingId, lane));
      }
    }
    this.#isWhole = false;
    const problems = [...this.#problems.values()];
    this.#problems.clear();
    const results = [...this.#results].map(([mappingId, { result, settled }]) =>
      create(fleet.ReportedResultSchema, {
        mappingId,
        lastProcessingResult: result,
        settledRecords: BigInt(settled),
      }),
    );
    this.#results.clear();
    const events = this.#takeEvents();
    const gaps = [...this.#gaps.values()].filter(({ sentIn }) => sentIn === 0n);
    const lists = [partitions, problems, results, gaps, events];
    if (lists.every(({ length }) => length === 0)) return null;
    this.#sequence++;
    for (const entry of [...gaps, ...ended]) entry.sentIn = this.#sequence;
    return create(fleet.ProgressSchema, {
      sequence: this.#sequence,
      partitions,
      problems,
      results,
      events,
      gaps: gaps.map(({ gap }) => gap),
    });
  }

  #takeEvents(): fleet.ReportedEvent[] {
    const events = [...this.#events.values()].map(({ event, more }) => {
      if (more > 0) event.message += ` And so for ${more} more partitions.`;
      return event;
    });
    this.#events.clear();
    return events;
  }

  /** Everything up to `sequence` is stored. */
  stored(sequence: bigint): void {
    const isStored = (sentIn: bigint) => sentIn !== 0n && sentIn <= sequence;
    for (const [id, { told, sentIn }] of this.#gaps) {
      if (!isStored(sentIn)) continue;
      told.isStored = true;
      this.#gaps.delete(id);
    }
    for (const [id, { sentIn }] of this.#ended) if (isStored(sentIn)) this.#ended.delete(id);
  }
}

interface UnstoredGap {
  readonly gap: fleet.ReportedGap;
  readonly told: Gap;
  /** Sequence of the message that carried it last, 0 when none has. */
  sentIn: bigint;
}

function rowOf(mappingId: string, lane: Lane): fleet.ReportedPartition {
  const { topicId, partition, epoch } = lane.assignment;
  return create(fleet.ReportedPartitionSchema, {
    mappingId,
    topicId,
    partition,
    assignmentEpoch: epoch,
    position: lane.queue.nextOffset,
    committedOffset: lane.committed,
    logEndOffset: lane.logEnd,
  });
}

const REASONS: Readonly<Record<GapReason, mapping.GapReason>> = {
  truncated: mapping.GapReason.TRUNCATED,
  truncatedUnderRetry: mapping.GapReason.TRUNCATED_UNDER_RETRY,
  recordTooLarge: mapping.GapReason.RECORD_TOO_LARGE,
  undecodable: mapping.GapReason.UNDECODABLE,
};
