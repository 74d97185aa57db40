import { waitUntil } from "@penstock/testkit";
import { describe, expect, it } from "vitest";
import { last, pollerClient, residentPeakBytes, SETUP_MS, sharedWorld } from "../shared-world.ts";

const MIB = 1024 * 1024;
const BUFFER = 16 * MIB;
const PARTITIONS = 24;
const RECORD = 900 * 1024;
const PER_PARTITION = 20;

describe("memory", { timeout: SETUP_MS }, () => {
  const shared = sharedWorld({ env: { PENSTOCK_BUFFER_BYTES_MAX: String(BUFFER) } });

  // F83 → I-15, I-16, L-1. Goal: memory follows the setting, not the lag, the record size or the number of partitions.
  // Method: 430 MB of lag in big records over 24 partitions, a function that stalls and then goes on; the peak of the poller's memory is read.
  it("F83, I-15, I-16, L-1: big records, many partitions and lag do not fill the memory of a poller, and all partitions progress", async () => {
    const [poller] = shared.world.pollers;
    if (poller === undefined) throw new Error("a world without a poller");
    await shared.flow({ partitions: 1, mapping: { windowMs: 0 } }, async (flow) => {
      await flow.send(2000, 1000);
      await flow.drain();
    });
    const idle = residentPeakBytes(poller);
    const options = {
      partitions: PARTITIONS,
      functionTimeoutMs: 120_000,
      mapping: { batchSize: 100, windowMs: 0 },
    };
    await shared.flow(options, async (flow) => {
      const held = flow.function.holdAll();
      await flow.send(PARTITIONS * PER_PARTITION, RECORD);
      await waitUntil(
        "every partition is in a call",
        () => {
          const called = flow.function.deliveries.flatMap(({ offsets }) => [...offsets.keys()]);
          return new Set(called).size === PARTITIONS;
        },
        60_000,
      );
      await last(3000);
      const { bufferedBytes } = await pollerClient(poller).describePoller({});
      process.stdout.write(`memory: ${Math.round(Number(bufferedBytes) / MIB)} MiB buffered\n`);
      held.release();
      await flow.drain(150_000);
      flow.check();
      expect(flow.function.deliveredCount()).toBe(PARTITIONS * PER_PARTITION);
    });
    const grown = residentPeakBytes(poller) - idle;
    process.stdout.write(
      `memory: ${Math.round(idle / MIB)} MiB, then ${Math.round(grown / MIB)} more\n`,
    );
    expect(grown).toBeLessThan(20 * BUFFER);
  });
});
