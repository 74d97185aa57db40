import { mapping } from "@penstock/proto";
import { type Flow, TopicWriter, waitUntil } from "@penstock/testkit";
import { Producer } from "@platformatic/kafka";
import { Kafka, logLevel } from "kafkajs";
import { describe, expect, inject, it } from "vitest";
import { lanesOf, residentPeakBytes, SETUP_MS, sharedWorld } from "../shared-world.ts";
import { commitByHand, setEnabled } from "./operator-steps.ts";

const MIB = 1024 * 1024;

// Each case has a topic, a function and a mapping of its own; they run side by side on one poller, one invoker, one broker.
describe.concurrent("what can happen to a log", { timeout: SETUP_MS }, () => {
  const shared = sharedWorld();

  // F12 → I-1. Goal: what retention removed before it was read is named exactly, and reading goes on at the log start.
  // Method: disable, delete records beyond the committed offset, enable; then overtake a lane whose call is held.
  it("F12, I-1: removed records are a gap with the exact range, below the position and ahead of it", async () => {
    const options = { functionTimeoutMs: 120_000, mapping: { batchSize: 2, windowMs: 0 } };
    await shared.flow(options, async (flow) => {
      await flow.send(20);
      await flow.drain();
      await setEnabled(flow, false);
      await flow.send(60);
      await shared.world.admin.deleteRecords(flow.topic, new Map([[0, 50n]]));
      await setEnabled(flow, true);
      await flow.drain();
      expect(await gapsOf(flow)).toEqual([
        { partition: 0, first: 20, last: 49, reason: mapping.GapReason.TRUNCATED },
      ]);

      const held = flow.function.holdAll();
      await flow.send(200, 50_000);
      await held.reached(1);
      await waitUntil("the lane has read what it may hold", async () => {
        const [lane] = await lanesOf(owner(flow), flow.mappingId);
        return lane !== undefined && lane.position > 90n && lane.position < 200n;
      });
      await shared.world.admin.deleteRecords(flow.topic, new Map([[0, 230n]]));
      held.release();
      await flow.drain();
      const gaps = await gapsOf(flow, 2);
      const ahead = gaps.find(({ first }) => first > 49);
      expect(gaps).toHaveLength(2);
      expect(ahead).toMatchObject({ last: 229, reason: mapping.GapReason.TRUNCATED });
      const delivered = new Set(deliveredOffsets(flow, 0));
      for (const offset of offsetsIn(gaps, flow).get(`${flow.topic}-0`) ?? []) {
        expect(delivered.has(offset)).toBe(false);
      }
      flow.check({ gaps: offsetsIn(gaps, flow) });
    });
  });

  // F12 → I-1, L-6. Goal: a poison record that retention removes does not hold its partition for ever.
  // Method: fail every batch with the first records, delete them, see the gap and the rest delivered.
  it("F12, I-1, L-6: a batch under retry that retention removed is a gap, and the rest goes on", async () => {
    await shared.flow({ mapping: { batchSize: 10, windowMs: 0 } }, async (flow) => {
      flow.function.answer = ({ offsets }) => {
        const [first] = offsets.get(`${flow.topic}-0`) ?? [];
        return { status: (first ?? 0) < 30 ? 500 : 200 };
      };
      await flow.send(100);
      await waitUntil("retries", () => flow.function.deliveries.length >= 3);
      await shared.world.admin.deleteRecords(flow.topic, new Map([[0, 30n]]));
      await flow.drain();
      const gaps = await gapsOf(flow);
      expect(gaps).toEqual([
        { partition: 0, first: 0, last: 29, reason: mapping.GapReason.TRUNCATED_UNDER_RETRY },
      ]);
      flow.check({ gaps: offsetsIn(gaps, flow) });
    });
  });

  // F13 → I-7. Goal: a committed offset above the end of the log is the operator's to decide; nothing is rewound.
  // Method: put the group's offset beyond the end before the mapping exists; later move it back while the mapping is disabled.
  it("F13, I-7: a committed offset above the log end stops the lane with a reason, until an operator moves it", async () => {
    await shared.flow({ mapping: null }, async (flow) => {
      const groupId = `of-${flow.topic}`;
      await flow.send(10);
      await commitByHand(inject("KAFKA"), groupId, flow.topic, 1000n);
      await flow.createMapping({ consumerGroupId: groupId, windowMs: 0 });
      await waitUntil("the reason is shown", async () =>
        (await flow.get()).lastProcessingResult.includes("above the end of the log"),
      );
      expect(flow.function.deliveries).toEqual([]);
      const committed = await shared.world.admin.committedOffsets(groupId, flow.topic);
      expect(committed.get(0)?.offset).toBe(1000n);

      await setEnabled(flow, false);
      await commitByHand(inject("KAFKA"), groupId, flow.topic, 4n);
      await setEnabled(flow, true);
      await flow.drain();
      expect(deliveredOffsets(flow, 0)).toEqual([4, 5, 6, 7, 8, 9]);
    });
  });

  // F14 → I-1, I-17. Goal: offsets of a deleted topic never apply to its successor; a mapping without its topic can be deleted.
  // Method: delete and recreate the topic under a running mapping, then delete the topic and the mapping.
  it("F14, I-1, I-17: a recreated topic is read from its beginning, and a mapping whose topic is gone can be deleted", async () => {
    await shared.flow({ mapping: { windowMs: 0 } }, async (flow) => {
      // A writer of its own: a producer that knows a deleted topic can't refresh its metadata any more.
      const first = await TopicWriter.connect(inject("KAFKA"));
      await first.sendKeyed(flow.topic, 50, 1);
      await first.close();
      await flow.drain();
      await shared.world.admin.deleteTopic(flow.topic);
      const before = flow.function.deliveries.length;
      await waitUntil("the topic can be made again", async () => {
        await shared.world.admin.createTopic(flow.topic, { partitions: 1 });
        return true;
      });
      const writer = await TopicWriter.connect(inject("KAFKA"));
      await writer.sendKeyed(flow.topic, 30, 1);
      await flow.delivered(80);
      await flow.drain();
      const offsets = flow.function.deliveries
        .slice(before)
        .flatMap((each) => each.offsets.get(`${flow.topic}-0`) ?? []);
      expect(offsets).toEqual(Array.from({ length: 30 }, (_, i) => i));
      expect((await flow.get()).gaps).toEqual([]);
      await writer.close();
      await shared.world.admin.deleteTopic(flow.topic);
    });
  });

  // F15 → I-8. Goal: LATEST is pinned at creation; partitions that come later are read from their beginning.
  // Method: a LATEST mapping on a topic with records; add partitions and write to them before anyone can have noticed.
  it("F15, I-8, I-1: partitions added to a LATEST mapping are read from their beginning, the old one from its pin", async () => {
    await shared.flow({ mapping: null }, async (flow) => {
      await flow.send(10);
      await flow.createMapping({
        windowMs: 0,
        startingPosition: mapping.StartingPosition.LATEST,
      });
      await shared.world.admin.addPartitions(flow.topic, 3);
      const writer = await TopicWriter.connect(inject("KAFKA"));
      await writer.sendKeyed(flow.topic, 30, 3);
      await waitUntil("all are delivered", () => flow.function.deliveredCount() === 30, 45_000);
      await flow.drain();
      expect(deliveredOffsets(flow, 0)).toEqual(Array.from({ length: 10 }, (_, i) => 10 + i));
      for (const partition of [1, 2]) {
        expect(deliveredOffsets(flow, partition)).toEqual(Array.from({ length: 10 }, (_, i) => i));
      }
      await writer.close();
    });
  });

  // F16, F17 → I-1, L-1. Goal: aborted records are never delivered, an open transaction holds what follows, markers are passed.
  // Method: kafkajs transactions that commit, abort and stay open; the committed offset reaches the end in spite of markers at the tail.
  it("F16, F17, I-1, L-1: aborted records never come, open transactions hold, markers and gaps at the tail are passed", async () => {
    await shared.flow({ mapping: { windowMs: 0 } }, async (flow) => {
      const { topic } = flow;
      const kafka = new Kafka({ brokers: [inject("KAFKA")], logLevel: logLevel.NOTHING });
      const producer = kafka.producer({
        transactionalId: `tx-${topic}`,
        idempotent: true,
        maxInFlightRequests: 1,
      });
      await producer.connect();
      const values: string[] = [];
      flow.function.answer = ({ body }) => {
        values.push(...valuesOf(body));
        return { status: 200 };
      };
      const write = async (end: "commit" | "abort", ...texts: string[]) => {
        const transaction = await producer.transaction();
        const messages = texts.map((value) => ({ value, partition: 0 }));
        await transaction.send({ topic, messages });
        await transaction[end]();
      };
      await write("commit", "c1", "c2");
      await write("abort", "a1", "a2", "a3");
      await write("commit", "c3");
      await write("abort", "a4");
      await flow.drain();
      expect(values).toEqual(["c1", "c2", "c3"]);

      const open = await producer.transaction();
      await open.send({ topic, messages: [{ value: "o1", partition: 0 }] });
      await flow.send(5);
      await flow.drain();
      expect(values).toHaveLength(3);
      await open.commit();
      await flow.delivered(9);
      expect(values.slice(0, 4)).toEqual(["c1", "c2", "c3", "o1"]);
      await flow.drain();
      await producer.disconnect();
    });
  });

  // F21 → I-1, I-13. Goal: every codec that Kafka has is read.
  // Method: the same records by another client in each codec, one after the other in one partition.
  it("F21, I-1, I-13: gzip, snappy, lz4 and zstd are read in one log", async () => {
    await shared.flow({ mapping: { windowMs: 0 } }, async (flow) => {
      const values: string[] = [];
      flow.function.answer = ({ body }) => {
        values.push(...valuesOf(body));
        return { status: 200 };
      };
      const sent: string[] = [];
      for (const compression of ["gzip", "snappy", "lz4", "zstd", "none"] as const) {
        const texts = Array.from({ length: 100 }, (_, i) => `${compression} ${i} `.repeat(20));
        await produce(
          flow.topic,
          texts.map((text) => Buffer.from(text)),
          compression,
        );
        sent.push(...texts);
      }
      await flow.drain();
      expect(values).toEqual(sent);
    });
  });

  // F23 → I-14, L-1. Goal: a record whose event alone is over the payload limit takes the documented path and is never cut.
  // Method: one record over the function's limit among small ones.
  it("F23, I-14, L-1: a record over the payload limit is a gap, and its neighbours are delivered", async () => {
    const options = { payloadBytesMax: 100_000, mapping: { batchSize: 100, windowMs: 0 } };
    await shared.flow(options, async (flow) => {
      const sizes: number[] = [];
      flow.function.answer = ({ body }) => {
        sizes.push(body.length);
        return { status: 200 };
      };
      await flow.send(5);
      await flow.send(1, 150_000);
      await flow.send(5);
      await flow.send(10, 40_000);
      await flow.drain();
      const gaps = await gapsOf(flow);
      expect(gaps).toEqual([
        { partition: 0, first: 5, last: 5, reason: mapping.GapReason.RECORD_TOO_LARGE },
      ]);
      expect(Math.max(...sizes)).toBeLessThanOrEqual(100_000);
      flow.check({ gaps: offsetsIn(gaps, flow) });
    });
  });

  // F90 → I-13. Goal: whatever bytes a record has, the function gets those bytes.
  // Method: null and empty keys and values, invalid UTF-8, NUL and ANSI codes, thousands of headers, duplicate and empty names.
  it("F90, I-13: malformed records arrive byte by byte", async () => {
    await shared.flow({ mapping: { windowMs: 50 } }, async (flow) => {
      const received: EventRecord[] = [];
      flow.function.answer = ({ body }) => {
        received.push(...recordsOf(body));
        return { status: 200 };
      };
      const invalid = Buffer.from([0xff, 0xfe, 0xc0, 0x80, 0xed, 0xa0, 0x80]);
      const control = Buffer.from("\u0000\u001b[31mred\u001b[0m\r\n\u0007");
      await flow.sendMessages([
        { key: null, value: null },
        { key: "", value: "" },
        { key: invalid, value: invalid },
        { key: control, value: control, headers: { [control.toString()]: control } },
        { key: "d", value: "d", headers: { same: ["1", "2"], "": "nameless", z: invalid } },
        {
          key: "h",
          value: "h",
          headers: Object.fromEntries(
            Array.from({ length: 10_000 }, (_, i) => [`h${i}`, String(i)]),
          ),
        },
      ]);
      await flow.drain();
      flow.check();
      expect(received.map(({ key }) => key)).toEqual(
        [undefined, "", invalid, control, "d", "h"].map(base64),
      );
      expect(received.map(({ value }) => value)).toEqual(
        [undefined, "", invalid, control, "d", "h"].map(base64),
      );
      expect(received[3]?.headers).toEqual([{ [control.toString()]: signed(control) }]);
      expect(received[4]?.headers).toEqual([
        { same: signed(Buffer.from("1")) },
        { same: signed(Buffer.from("2")) },
        { "": signed(Buffer.from("nameless")) },
        { z: signed(invalid) },
      ]);
      expect(received[5]?.headers).toHaveLength(10_000);
      expect(received[5]?.headers[9999]).toEqual({ h9999: signed(Buffer.from("9999")) });
    });
  });

  // F91 → I-15, L-1. Goal: a small batch that inflates without end costs bounded memory and ends as a gap.
  // Method: batches of zeroes that inflate to 96 MiB, before and after ordinary records; memory of the poller is watched.
  it("F91, I-15, L-1: a compression bomb is a gap, the rest is delivered, memory stays bounded", async () => {
    await shared.flow({ mapping: { windowMs: 0 } }, async (flow) => {
      await flow.send(5);
      await produce(flow.topic, [Buffer.alloc(96 * MIB)], "gzip");
      await flow.send(5);
      await flow.drain();
      const gaps = await gapsOf(flow);
      expect(gaps).toEqual([
        { partition: 0, first: 5, last: 5, reason: mapping.GapReason.UNDECODABLE },
      ]);
      flow.check({ gaps: offsetsIn(gaps, flow) });
      expect(residentPeakBytes(owner(flow))).toBeLessThan(700 * MIB);
    });
  });
});

interface EventRecord {
  readonly key?: string;
  readonly value?: string;
  readonly headers: readonly Readonly<Record<string, readonly number[]>>[];
}

function recordsOf(body: Buffer): EventRecord[] {
  const { records } = JSON.parse(body.toString()) as { records: Record<string, EventRecord[]> };
  return Object.values(records).flat();
}

function valuesOf(body: Buffer): string[] {
  return recordsOf(body).map(({ value }) => Buffer.from(value ?? "", "base64").toString());
}

function base64(value: Buffer | string | undefined): string | undefined {
  return value === undefined ? undefined : Buffer.from(value).toString("base64");
}

/** Header values are signed bytes, as the JVM has them. */
function signed(bytes: Buffer): number[] {
  return [...new Int8Array(bytes)];
}

function owner(flow: Flow) {
  const [poller] = flow.world.pollers;
  if (poller === undefined) throw new Error("a world without a poller");
  return poller;
}

function deliveredOffsets(flow: Flow, partition: number): number[] {
  return flow.function.deliveries.flatMap(
    ({ offsets }) => offsets.get(`${flow.topic}-${partition}`) ?? [],
  );
}

interface ToldGap {
  readonly partition: number;
  readonly first: number;
  readonly last: number;
  readonly reason: mapping.GapReason;
}

/** Gap reports as GetEventSourceMapping shows them, oldest first, once there are so many. */
async function gapsOf(flow: Flow, countMin = 1): Promise<ToldGap[]> {
  const { gaps } = await waitUntil(`${countMin} gap reports are stored`, async () => {
    const found = await flow.get();
    return found.gaps.length >= countMin ? found : null;
  });
  return gaps
    .map(({ partition, firstOffset, lastOffset, reason }) => ({
      partition,
      first: Number(firstOffset),
      last: Number(lastOffset),
      reason,
    }))
    .sort((a, b) => a.first - b.first);
}

function offsetsIn(gaps: readonly ToldGap[], flow: Flow): Map<string, Set<number>> {
  const offsets = new Map<string, Set<number>>();
  for (const { partition, first, last } of gaps) {
    const key = `${flow.topic}-${partition}`;
    const of = offsets.get(key) ?? new Set();
    for (let offset = first; offset <= last; offset++) of.add(offset);
    offsets.set(key, of);
  }
  return offsets;
}

async function produce(
  topic: string,
  values: readonly Buffer[],
  compression: "none" | "gzip" | "snappy" | "lz4" | "zstd",
): Promise<void> {
  const producer = new Producer({
    clientId: "penstock-test",
    bootstrapBrokers: [inject("KAFKA")],
    compression,
  });
  await producer.send({ messages: values.map((value) => ({ topic, partition: 0, value })) });
  await producer.close();
}
