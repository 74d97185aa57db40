import { type PollerEvent, partitionOf } from "../history/poller-event.ts";
import type { Violation } from "./violation.ts";

/** I-4: a lane has at most one call in flight; a call ends with its answer, and with its process. */
export function oneCallPerLane(events: readonly PollerEvent[]): Violation[] {
  const violations: Violation[] = [];
  const open = new Map<string, string>();
  for (const event of events) {
    if (event.event !== "called" && event.event !== "answered") continue;
    for (const part of event.parts) {
      const lane = `${event.member}/${partitionOf(part)}/${part.epoch}`;
      if (event.event === "answered") {
        if (open.get(lane) === event.request) open.delete(lane);
        continue;
      }
      const before = open.get(lane);
      if (before !== undefined) {
        violations.push({
          promise: "I-4",
          where: `${partitionOf(part)}: ${event.request} was called while ${before} was unanswered`,
        });
      }
      open.set(lane, event.request);
    }
  }
  return violations;
}
