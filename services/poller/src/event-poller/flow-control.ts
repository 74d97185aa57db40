import { type LaneMarks, laneMarks, type RecordSource } from "@penstock/core";
import type { Lane } from "../lane/lane.ts";
import type { EventPollerContext } from "./context.ts";
import type { EventPollerSettings } from "./settings.ts";

/**
 * Which lanes are in the fetch. A lane leaves it over its high mark and comes back under the low one; while the node is over
 * its memory budget, only lanes with nothing to deliver stay in it.
 */
export class FlowControl {
  readonly #context: EventPollerContext;
  readonly #source: () => RecordSource;
  readonly #host: { settings(): EventPollerSettings };

  constructor(
    context: EventPollerContext,
    source: () => RecordSource,
    host: { settings(): EventPollerSettings },
  ) {
    this.#context = context;
    this.#source = source;
    this.#host = host;
  }

  /** Records came: the lane may be full. */
  filled(lane: Lane): void {
    if (lane.isPaused || lane.queue.recordCount === 0) return;
    if (!this.#context.memory.isOver && lane.queue.bytes < this.#marks(lane).highBytes) return;
    lane.isPaused = true;
    this.#source().pause(lane.assignment);
  }

  /** Records went, or memory became free: the lane may have room. */
  drained(lane: Lane): void {
    if (!lane.isPaused || lane.isDead || lane.drainUntilMs !== null) return;
    const { queue } = lane;
    if (queue.recordCount > 0) {
      if (this.#context.memory.isOver || queue.bytes > this.#marks(lane).lowBytes) return;
    }
    lane.isPaused = false;
    this.#source().resume(lane.assignment);
  }

  #marks(lane: Lane): LaneMarks {
    const { batchSize, functionName } = this.#host.settings();
    const spec = this.#context.functions.get(functionName);
    const payloadBytesMax = spec?.payloadBytesMax ?? this.#context.fetchPartitionBytesMax;
    return laneMarks(batchSize, lane.recordBytes, payloadBytesMax);
  }
}
