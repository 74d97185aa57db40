import { poller } from "@penstock/proto";
import { countDuplicates, type Flow, type PollerEvent, waitUntil } from "@penstock/testkit";
import { describe, expect, it } from "vitest";
import { kafkaSettings, protocolsUnderTest } from "../kafka-under-test.ts";
import { lanesOf, SETUP_MS, sharedByTwo, sharedWorld } from "../shared-world.ts";

const DRAIN_LIMIT_MS = 3000;

describe.each(protocolsUnderTest("consumer", "classic"))(
  "partitions change hands while calls are in flight (%s groups)",
  (protocol) => {
    const shared = sharedWorld({
      env: { ...kafkaSettings(protocol), PENSTOCK_DRAIN_LIMIT_MS: String(DRAIN_LIMIT_MS) },
    });

    // F30 → I-2, I-5, I-18. Goal: work finished under an old assignment is never committed under a new one.
    // Method: hold every call beyond the drain limit, let a second poller join and call the same records, release, compare histories.
    it(
      "F30, I-2, I-5, I-18: a call that outlives its assignment commits nothing",
      async () => {
        const options = {
          partitions: 4,
          functionTimeoutMs: 120_000,
          mapping: { minimumPollers: 2, batchSize: 10, windowMs: 0 },
        };
        await shared.flow(options, async (flow) => {
          await sharedByTwo(flow);
          const held = flow.function.holdAll();
          await flow.send(400);
          await held.reached(4);
          const joined = await shared.world.addPoller();
          await waitUntil(
            "a held call lost its partition",
            () => lostBy(flow, "drainLimit"),
            60_000,
          );
          await waitUntil(
            "its successor calls the same records",
            () => secondCalls(flow) > 0,
            60_000,
          );
          held.release();
          await flow.drain();
          flow.check();
          expect(countDuplicates(flow.function.deliveries)).toBeGreaterThan(0);
          expect(await joined.stop()).toBe(0);
        });
      },
      SETUP_MS,
    );

    // F30 → I-6. Goal: a planned hand-over whose calls end within the drain limit repeats nothing.
    // Method: hold every call until its lane says that it is being handed over, then release.
    it(
      "F30, I-6: a call that ends within the drain limit is committed by its own assignment, and nothing comes twice",
      async () => {
        const options = {
          partitions: 4,
          functionTimeoutMs: 60_000,
          mapping: { minimumPollers: 2, batchSize: 10, windowMs: 0 },
        };
        await shared.flow(options, async (flow) => {
          await sharedByTwo(flow);
          const held = flow.function.holdAll();
          await flow.send(400);
          await held.reached(4);
          const adopted = adoptions(flow);
          const adding = shared.world.addPoller();
          await waitUntil(
            "a lane in a call is being handed over",
            async () => {
              const [first] = shared.world.pollers;
              const lanes = first ? await lanesOf(first, flow.mappingId) : [];
              return lanes.some((lane) => lane.waitingFor === poller.LaneWait.HANDOVER);
            },
            60_000,
          );
          held.release();
          const joined = await adding;
          await waitUntil("partitions moved", () => adoptions(flow) > adopted, 60_000);
          await flow.send(400);
          await flow.drain();
          flow.check();
          expect(lostBy(flow, "drainLimit")).toBe(false);
          expect(countDuplicates(flow.function.deliveries)).toBe(0);
          expect(await joined.stop()).toBe(0);
        });
      },
      SETUP_MS,
    );

    // F34 → I-1, I-3, I-6. Goal: members that come and go all the time cost time, and no record and no order.
    // Method: another poller process joins and is told to leave, six times in a row with an overlap, under steady load.
    it(
      "F34, I-1, I-3, I-6: churn of members loses nothing, keeps the order and repeats nothing",
      async () => {
        const options = {
          partitions: 6,
          mapping: { minimumPollers: 3, batchSize: 20, windowMs: 10 },
        };
        await shared.flow(options, async (flow) => {
          flow.function.answer = () => ({ status: 200, delayMs: 20 });
          let leaving: Promise<number | string> = Promise.resolve(0);
          for (let round = 0; round < 6; round++) {
            const before = flow.function.deliveredCount();
            const sending = flow.send(600);
            const joined = await shared.world.addPoller();
            await sending;
            await waitUntil(
              "the new member has partitions",
              async () => (await lanesOf(joined, flow.mappingId)).length > 0,
              60_000,
            );
            await flow.delivered(before + 1);
            expect(await leaving).toBe(0);
            leaving = joined.stop();
          }
          expect(await leaving).toBe(0);
          await flow.drain(120_000);
          flow.check();
          expect(adoptions(flow)).toBeGreaterThan(6 + 6);
          expect(countDuplicates(flow.function.deliveries)).toBe(0);
        });
      },
      SETUP_MS,
    );
  },
);

function adoptions(flow: Flow): number {
  return flow.events().filter(({ event }) => event === "adopted").length;
}

function lostBy(flow: Flow, reason: string): boolean {
  return flow.events().some((event) => event.event === "ended" && event.how === `lost:${reason}`);
}

/** Calls of records that were called under an older epoch before. */
function secondCalls(flow: Flow): number {
  const epochs = new Map<string, number>();
  let count = 0;
  const called = (event: PollerEvent) => (event.event === "called" ? event.parts : []);
  for (const part of flow.events().flatMap(called)) {
    const key = `${part.partition}/${part.from}`;
    const before = epochs.get(key);
    if (before !== undefined && before < part.epoch) count++;
    epochs.set(key, part.epoch);
  }
  return count;
}
