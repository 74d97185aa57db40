/** Offsets of batches have no checksum: what the fetcher makes of wrong ones, and of ends of the log that were told a little too early. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeBroker, type FakeLog } from "./testing/fake-broker.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";
import { FetchProbe } from "./testing/fetch-probe.ts";

const TOPIC_ID = "00112233-4455-6677-8899-aabbccddeeff";
const KEY = { topicId: TOPIC_ID, partition: 0 };
const RECORDS = 600;
const OFFSET_BYTE = 6;

describe("Fetcher: damaged offsets", () => {
  let broker: FakeBroker;
  let log: FakeLog;
  let probe: FetchProbe;

  beforeEach(() => {
    broker = new FakeBroker();
    log = broker.log(TOPIC_ID, 0);
    probe = new FetchProbe(new FakeCluster(new Map([[1, broker]]), TOPIC_ID, [1]), "orders");
    for (let i = 0; i < RECORDS; i++) log.append(`v${i}`);
  });
  afterEach(async () => {
    await probe.close();
    expect(probe.violations).toEqual([]);
  });

  const all = Array.from({ length: RECORDS }, (_, i) => `v${i}`);

  function flip(batch: number, at: number): void {
    const bytes = log.batches.at(batch)?.bytes ?? Buffer.alloc(0);
    const index = at < 0 ? bytes.length + at : at;
    bytes[index] = (bytes[index] as number) ^ 1;
  }

  /** From the second request on. */
  function heal(repair: () => void): void {
    let requests = 0;
    broker.override = () => {
      if (++requests === 2) repair();
      return undefined;
    };
  }

  it.each([
    ["a middle one, offset", 1, [OFFSET_BYTE]],
    ["a middle one, offset and payload", 1, [OFFSET_BYTE, -2]],
    ["the first one, offset and payload", 0, [OFFSET_BYTE, -2]],
    ["the last one, offset", -1, [OFFSET_BYTE]],
    ["the last one, offset and payload", -1, [OFFSET_BYTE, -2]],
    ["the last one, offset within the log", -1, [7]],
  ])("I-1, F10: damage on the way is read again, and nothing is lost: %s", async (_, batch, at) => {
    for (const byte of at) flip(batch, byte);
    heal(() => {
      for (const byte of at) flip(batch, byte);
    });
    probe.set(KEY, 0n);
    await probe.until("the end", () => probe.position(KEY) === BigInt(RECORDS));
    expect(probe.values(KEY)).toEqual(all);
    expect(probe.undecodable).toEqual([]);
  });

  it("I-7, F10: an offset beyond the log that stays is told, and the position never gets there", async () => {
    flip(-1, OFFSET_BYTE);
    probe.set(KEY, 0n);
    await probe.until("the report", () => probe.undecodable.length > 0);
    const from = BigInt(RECORDS - 1);
    const reason = "batch reaches beyond the end of the log";
    expect(probe.undecodable).toEqual([{ key: KEY, from, to: from + 1n, reason }]);
    expect(probe.values(KEY)).toEqual(all.slice(0, -1));
    expect(probe.position(KEY)).toBe(from);
  });

  it.each([0n, 300n])(
    "I-3: batches above an end of the log that was told too early (%i) are no damage",
    async (end) => {
      log.end = end;
      heal(() => {
        log.end = BigInt(RECORDS);
      });
      probe.set(KEY, 0n);
      await probe.until("all", () => probe.count() === RECORDS);
      expect(probe.values(KEY)).toEqual(all);
      expect(probe.problems).toEqual([]);
      expect(probe.fetcher.counters.damagedReads).toBe(0);
    },
  );
});
