import type { Clock } from "@penstock/core";

/** The real clock. Deadlines use `nowMs`, which a change of the wall clock doesn't move. */
export const systemClock: Clock = {
  nowMs: () => performance.now(),
  wallMs: () => Date.now(),
};
