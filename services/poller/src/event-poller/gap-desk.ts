import type { Lane } from "../lane/lane.ts";
import type { EventPollerContext, GapReason } from "./context.ts";

/** Where gaps are told: history, counters, log and the report to the control plane, always all of them. */
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
    const { topic, topicId, partition } = lane.assignment;
    const mappingId = this.#mappingId;
    lane.counters.gap += Number(to - from);
    lane.hasChanged = true;
    const { gaps } = this.#context.counters.of(mappingId);
    gaps.set(reason, (gaps.get(reason) ?? 0) + 1);
    this.#context.history.settled(this.#memberId(), lane.assignment, from, to, `gap:${reason}`);
    const firstOffset = from;
    const lastOffset = to - 1n;
    this.#context.log.warn("gap", {
      mappingId,
      topic,
      partition,
      firstOffset: String(firstOffset),
      lastOffset: String(lastOffset),
      reason,
    });
    const where = { mappingId, topicId, topic, partition };
    this.#context.reports.gap({ ...where, firstOffset, lastOffset, reason, message });
  }
}
