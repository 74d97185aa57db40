import { mapping } from "@penstock/proto";
import { type Flow, waitUntil } from "@penstock/testkit";
import { describe, expect, it } from "vitest";
import { SETUP_MS, sharedWorld } from "../shared-world.ts";

const { AT_TIMESTAMP, LATEST } = mapping.StartingPosition;

describe("where a mapping starts", { timeout: SETUP_MS }, () => {
  const shared = sharedWorld({
    pollers: 0,
    env: { PENSTOCK_NODE_VANISHED_MS: "2000", PENSTOCK_DRAIN_LIMIT_MS: "3000" },
  });

  // I-8 → I-1. Goal: LATEST is a number from the creation on, whoever dies before the first commit.
  // Method: create without pollers, write, let a poller call in vain and kill it, let another one finish.
  it("I-8, I-1: LATEST is pinned at creation: nothing written after it is lost when the first poller dies before its first commit", async () => {
    await shared.flow({ mapping: null }, async (flow) => {
      await flow.send(20);
      const creating = flow.createMapping({ startingPosition: LATEST, windowMs: 0 });
      await waitUntil("the start is pinned", async () => {
        const { eventSourceMappings } = await shared.world.mappings.listEventSourceMappings({});
        const found = eventSourceMappings.find(({ topics }) => topics[0] === flow.topic);
        return found !== undefined && found.state !== mapping.MappingState.CREATING;
      });
      await flow.send(50);
      flow.function.answer = () => ({ status: 500 });
      const first = await shared.world.addPoller();
      await creating;
      await waitUntil("a call in vain", () => flow.function.deliveries.length > 0);
      await first.kill();
      flow.function.answer = () => ({ status: 200 });
      const second = await shared.world.addPoller();
      await flow.send(10);
      await flow.drain();
      expect(offsets(flow)).toEqual(Array.from({ length: 60 }, (_, i) => 20 + i));
      expect(await second.stop()).toBe(0);
    });
  });

  // F24 → I-8. Goal: AT_TIMESTAMP is the first record at or after the time, and the end when there is none.
  // Method: records with times of their own, one second apart; a time in the middle, and one after the last.
  it("F24, I-8: AT_TIMESTAMP starts at the first record of that time, beyond the last one at the end", async () => {
    const poller = await shared.world.addPoller();
    const startMs = Date.now() - 3_600_000;
    const messages = Array.from({ length: 20 }, (_, i) => ({
      value: String(i),
      timestamp: String(startMs + i * 1000),
    }));
    for (const [atMs, first] of [
      [startMs + 6500, 7],
      [startMs + 60_000, 20],
    ] as const) {
      await shared.flow({ mapping: null }, async (flow) => {
        await flow.sendMessages(messages);
        await flow.createMapping({
          startingPosition: AT_TIMESTAMP,
          startingTimestampMs: atMs,
          windowMs: 0,
        });
        await flow.sendMessages([{ value: "last" }]);
        await flow.drain();
        expect(offsets(flow)).toEqual(Array.from({ length: 21 - first }, (_, i) => first + i));
      });
    }
    expect(await poller.stop()).toBe(0);
  });
});

/** Offsets that were delivered with success, in their order. */
function offsets(flow: Flow): number[] {
  return flow.function.deliveries
    .filter(({ status }) => status === 200)
    .flatMap((each) => each.offsets.get(`${flow.topic}-0`) ?? []);
}
