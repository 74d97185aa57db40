import { createRequire } from "node:module";
import { describe, expect, it, vi } from "vitest";
import { guardKafkajsTimers } from "./kafkajs-timer-guard.ts";

describe("guardKafkajsTimers", () => {
  it("kafkajs schedules a check of its queue only while something is pending", () => {
    const RequestQueue = createRequire(import.meta.url)("kafkajs/src/network/requestQueue");
    expect(RequestQueue.prototype.scheduleCheckPendingRequests).toBeTypeOf("function");
    guardKafkajsTimers();
    guardKafkajsTimers();
    vi.useFakeTimers();
    try {
      const { scheduleCheckPendingRequests } = RequestQueue.prototype;
      const queue = { pending: [] as object[], throttledUntil: -1, throttleCheckTimeoutId: null };
      scheduleCheckPendingRequests.call(queue);
      expect(vi.getTimerCount()).toBe(0);
      queue.pending.push({});
      scheduleCheckPendingRequests.call(queue);
      expect(vi.getTimerCount()).toBe(1);
    } finally {
      vi.useRealTimers();
    }
  });
});
