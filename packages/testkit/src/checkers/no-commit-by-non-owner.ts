import { type PollerEvent, partitionOf } from "../history/poller-event.ts";
import type { Violation } from "./violation.ts";

/**
 * I-5 and I-18: after a newer epoch of a partition has begun, nothing tagged with an older one is committed or called.
 *
 * A commit that was on its way when the partition changed hands may be answered later; so what counts is when it was *sent*, and
 * that Kafka accepted it.
 */
export function noCommitByNonOwner(events: readonly PollerEvent[]): Violation[] {
  const violations: Violation[] = [];
  const newest = new Map<string, { epoch: number; sinceMs: number }>();
  const sent = new Map<string, number>();
  for (const event of events) {
    if (event.event === "adopted") {
      const key = partitionOf(event);
      const before = newest.get(key);
      if (before === undefined || event.epoch > before.epoch) {
        newest.set(key, { epoch: event.epoch, sinceMs: event.t });
      }
    } else if (event.event === "committing") {
      sent.set(`${event.member}/${partitionOf(event)}/${event.epoch}/${event.offset}`, event.t);
    } else if (event.event === "committed" && event.result === "committed") {
      const owner = newest.get(partitionOf(event));
      const sentMs =
        sent.get(`${event.member}/${partitionOf(event)}/${event.epoch}/${event.offset}`) ?? event.t;
      if (owner !== undefined && owner.epoch > event.epoch && sentMs > owner.sinceMs) {
        violations.push({
          promise: "I-5",
          where: `${partitionOf(event)}: offset ${event.offset} of epoch ${event.epoch} was committed in epoch ${owner.epoch}`,
        });
      }
    } else if (event.event === "called") {
      for (const part of event.parts) {
        const owner = newest.get(partitionOf(part));
        if (owner === undefined || owner.epoch <= part.epoch || event.t <= owner.sinceMs) continue;
        violations.push({
          promise: "I-18",
          where: `${partitionOf(part)}: ${part.from} was called in epoch ${part.epoch} after epoch ${owner.epoch} began`,
        });
      }
    }
  }
  return violations;
}
