import type { Lane } from "../lane/lane.ts";
import type { EventPollerContext, GapReason } from "./context.ts";

/** Where gaps are told: history, counters, log and the report to the control plane, always all of them. */
export class GapDesk {
  readonly #context: EventPollerContext;
  readonly #mappingId: string;

  constructor(context: EventPollerContext, mappingId: string) {
    this.#context = context;
    this.#mappingId = mappingId;
  }

  /** Offsets `[from, to)` of the lane are settled without the function. */
  record(
    memberId: string,
    lane: Lane,
    from: bigint,
    to: bigint,
    reason: GapReason,
    message: string,
  ): void {
    const { topic, topicId, partition } = lane.assignment;
    const mappingId = this.#mappingId;
    lane.counters.gap += Number(to - from);
    lane.hasChanged = true;
    const { gaps } = this.#context.counters.of(mappingId);
    gaps.set(reason, (gaps.get(reason) ?? 0) + 1);
    this.#context.history.settled(memberId, lane.assignment, from, to, `gap:${reason}`);
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
