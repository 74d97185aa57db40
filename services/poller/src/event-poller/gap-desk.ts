import {
  type CarriedGap,
  type GapReason,
  gapsOfCommit,
  type PartitionStart,
  usableCommit,
} from "@penstock/core";
import type { Lane } from "../lane/lane.ts";
import type { EventPollerContext } from "./context.ts";
import { foundByAnother } from "./dispatch/lane-messages.ts";

/**
 * Where gaps are told: history, counters, log and the report to the control plane, always all of them.
 *
 * A gap that is not known to be stored goes with the lane's commits: should this process end before it has reported it, the next owner of the
 * partition does.
 */
export class GapDesk {
  readonly #context: EventPollerContext;
  readonly #mappingId: string;
  readonly #memberId: () => string;

  constructor(context: EventPollerContext, mappingId: string, memberId: () => string) {
    this.#context = context;
    this.#mappingId = mappingId;
    this.#memberId = memberId;
  }

  /** A gap at the end of what was fetched: it is passed when everything before it is settled. */
  pass(lane: Lane, from: bigint, to: bigint, reason: GapReason, message: string): void {
    this.record(lane, from, to, reason, message);
    lane.queue.skip(to);
    lane.pass();
  }

  /** Offsets `[from, to)` of the lane are settled without the function. */
  record(lane: Lane, from: bigint, to: bigint, reason: GapReason, message: string): void {
    const mappingId = this.#mappingId;
    lane.counters.gap += Number(to - from);
    lane.hasChanged = true;
    const { gaps } = this.#context.counters.of(mappingId);
    gaps.set(reason, (gaps.get(reason) ?? 0) + 1);
    this.#context.history.settled(this.#memberId(), lane.assignment, from, to, `gap:${reason}`);
    const gapId = this.#context.newId();
    const wallMs = this.#context.clock.wallMs();
    const gap = { gapId, firstOffset: from, lastOffset: to - 1n, reason, wallMs };
    this.#report("gap", lane, gap, message);
  }

  /** Gaps that the owner before has committed: it may have ended before they were stored. One that is stored already is so once. */
  inherit(lane: Lane, start: PartitionStart): void {
    if (start.committed === null || usableCommit(lane.assignment, start) === null) return;
    const now = this.#context.clock.wallMs();
    for (const gap of gapsOfCommit(start.committed)) {
      const found = { ...gap, wallMs: Math.min(gap.wallMs, now) };
      this.#report("gap of the owner before", lane, found, foundByAnother(gap));
    }
  }

  #report(line: string, lane: Lane, found: CarriedGap, message: string): void {
    const { topic, topicId, partition } = lane.assignment;
    const mappingId = this.#mappingId;
    const { firstOffset, lastOffset, reason } = found;
    this.#context.log.warn(line, {
      mappingId,
      topic,
      partition,
      firstOffset: String(firstOffset),
      lastOffset: String(lastOffset),
      reason,
    });
    const gap = { mappingId, topicId, topic, partition, ...found, message, isStored: false };
    lane.keepUnstored(gap);
    this.#context.reports.gap(gap);
  }
}
