/**
 * kafkajs 2.2.4 checks an empty queue of pending requests every millisecond for as long as a connection lives: 7 % of a core, and
 * on Node 24 a warning about a negative timeout. Here the check is scheduled only when something is pending; kafkajs itself
 * schedules it whenever that begins. The version is pinned, and the test beside this file fails when the inside looks different.
 */
import { createRequire } from "node:module";

interface RequestQueue {
  readonly pending: readonly unknown[];
  scheduleCheckPendingRequests(): void;
}

let isGuarded = false;

/** Idempotent. */
export function guardKafkajsTimers(): void {
  if (isGuarded) return;
  isGuarded = true;
  const queue = createRequire(import.meta.url)("kafkajs/src/network/requestQueue") as {
    prototype: RequestQueue;
  };
  const schedule = queue.prototype.scheduleCheckPendingRequests;
  queue.prototype.scheduleCheckPendingRequests = function (this: RequestQueue) {
    if (this.pending.length > 0) schedule.call(this);
  };
}
