import { PenstockError } from "@penstock/core";
import fc from "fast-check";
import { afterEach, describe, expect, it } from "vitest";
import type { FetchKey } from "./partition-fetch.ts";
import { FakeBroker } from "./testing/fake-broker.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";
import { FetchProbe, type ProbeOptions } from "./testing/fetch-probe.ts";

const TOPIC_ID = "00112233-4455-6677-8899-aabbccddeeff";
/** Long enough that nothing in a test can wait for it. */
const FOR_EVER_MS = 600_000;

interface World {
  readonly broker: FakeBroker;
  readonly second: FakeBroker;
  readonly cluster: FakeCluster;
  readonly probe: FetchProbe;
  readonly keys: FetchKey[];
}

const open: FetchProbe[] = [];
afterEach(async () => {
  for (const probe of open.splice(0)) {
    await probe.close();
    expect(probe.violations).toEqual([]);
  }
});

function world(partitions: number, options: ProbeOptions = {}): World {
  const broker = new FakeBroker();
  const second = new FakeBroker();
  const brokers = new Map([
    [1, broker],
    [2, second],
  ]);
  const leaders = Array.from({ length: partitions }, () => 1);
  const cluster = new FakeCluster(brokers, TOPIC_ID, leaders);
  const probe = new FetchProbe(cluster, "orders", { maxWaitMs: FOR_EVER_MS, ...options });
  open.push(probe);
  const keys = leaders.map((_, partition) => ({ topicId: TOPIC_ID, partition }));
  return { broker, second, cluster, probe, keys };
}

function start({ probe, keys }: World): void {
  for (const key of keys) probe.set(key, 0n);
}

/** Resolves with the next answer handed over, or soon. */
async function nextAnswer(probe: FetchProbe): Promise<void> {
  const before = probe.responses;
  await probe.until("an answer", () => probe.responses > before, 60).catch(() => {});
}

/** Everything read, and the long poll back at the broker. */
async function settle({ broker, probe, keys }: World, records: number): Promise<void> {
  await probe.until(`${records} records`, () => probe.count() === records);
  for (const key of keys) {
    const { end } = broker.log(key.topicId, key.partition);
    await probe.until("the end", () => probe.position(key) === end);
  }
}

describe("Fetcher: sessions", () => {
  it("opens one session and names only what changed", async () => {
    const w = world(3);
    start(w);
    for (const key of w.keys) w.broker.append(TOPIC_ID, key.partition, "a");
    await settle(w, 3);
    w.broker.append(TOPIC_ID, 1, "b");
    await settle(w, 4);
    const [first, ...later] = w.broker.requests;
    expect(first).toMatchObject({ sessionId: 0, sessionEpoch: 0, rack: "" });
    expect(first?.partitions).toHaveLength(3);
    expect(later.map((request) => request.sessionEpoch)).toEqual(later.map((_, i) => i + 1));
    expect(later.at(-1)?.partitions).toEqual([
      { topicId: TOPIC_ID, partition: 1, leaderEpoch: 3, position: 2n, bytesMax: 1 << 20 },
    ]);
  });

  it.each([70, 71, 106])(
    "opens a new one after error %i, at the positions reached",
    async (code) => {
      const w = world(2);
      start(w);
      w.broker.append(TOPIC_ID, 0, "a");
      await settle(w, 1);
      let refusals = 0;
      w.broker.override = ({ sessionId }) =>
        sessionId !== 0 && refusals++ === 0 ? { errorCode: code } : undefined;
      w.broker.append(TOPIC_ID, 0, "b");
      await settle(w, 2);
      w.broker.append(TOPIC_ID, 1, "c");
      await settle(w, 3);
      expect(refusals).toBeGreaterThan(0);
      expect(w.probe.fetcher.counters.sessionsOpened).toBe(2);
      expect(w.probe.problems).toEqual([]);
    },
  );

  it("works with a broker that has no room for a session", async () => {
    const w = world(2);
    w.broker.hasSessions = false;
    start(w);
    w.broker.append(TOPIC_ID, 0, "a");
    await settle(w, 1);
    w.broker.append(TOPIC_ID, 1, "b");
    await settle(w, 2);
    expect(w.broker.requests.every((request) => request.sessionId === 0)).toBe(true);
  });

  it("opens a new one after every lost connection, and goes on at the position", async () => {
    const w = world(2);
    start(w);
    for (let i = 1; i <= 5; i++) {
      w.broker.append(TOPIC_ID, i % 2, String(i));
      await settle(w, i);
      w.broker.cut();
    }
    const opened = w.broker.requests.filter(({ sessionEpoch }) => sessionEpoch === 0);
    expect(opened.length).toBeGreaterThanOrEqual(5);
  });
});

describe("Fetcher: a partition that joins while the long poll is parked", () => {
  it("a resumed partition comes at once, on the second connection", async () => {
    const w = world(2);
    const [key] = w.keys as [FetchKey];
    start(w);
    w.broker.append(TOPIC_ID, 0, "a");
    await settle(w, 1);
    w.probe.fetcher.pause(key);
    w.broker.append(TOPIC_ID, 1, "b");
    await settle(w, 2);
    w.broker.log(TOPIC_ID, 0).append("c");
    w.probe.fetcher.resume(key);
    await w.probe.until("the resumed one", () => w.probe.count() === 3);
    expect(w.broker.requests.at(-2)).toMatchObject({ sessionId: 0, sessionEpoch: -1 });
    expect(w.probe.fetcher.counters.wakes).toBeGreaterThan(0);
    expect(w.broker.connections).toBe(2);
  });

  it("so does each of many that join one after the other, with nothing to read at first", async () => {
    const w = world(6);
    const [first, ...others] = w.keys as [FetchKey, ...FetchKey[]];
    w.probe.set(first, 0n);
    w.broker.append(TOPIC_ID, 0, "a");
    await settle({ ...w, keys: [first] }, 1);
    let count = 1;
    for (const key of others) {
      w.probe.set(key, 0n);
      await w.probe
        .until("told its end", () => w.probe.ends.has(key) || count < 0, 50)
        .catch(() => {});
      w.broker.append(TOPIC_ID, key.partition, "late");
      count++;
      await w.probe.until("its record", () => w.probe.count() === count);
    }
  });

  it("an idle broker holds one request again when the long poll has ended", async () => {
    const w = world(2, { maxWaitMs: 60 });
    const [key] = w.keys as [FetchKey];
    start(w);
    w.broker.append(TOPIC_ID, 0, "a");
    await settle(w, 1);
    w.probe.fetcher.pause(key);
    w.broker.append(TOPIC_ID, 1, "b");
    await settle(w, 2);
    w.probe.fetcher.resume(key);
    const before = w.probe.responses;
    await w.probe.until("some answers", () => w.probe.responses > before + 6);
    expect(w.broker.parkedCount).toBe(1);
    const last = w.broker.requests.slice(-3);
    expect(
      last.every(({ sessionId, partitions }) => sessionId > 0 && partitions.length === 0),
    ).toBe(true);
  });
});

describe("Fetcher: idle", () => {
  it("lets the broker hold its request longer and longer, and not after a record", async () => {
    const w = world(2, { maxWaitMs: 5, idleWaitMsMax: 40 });
    start(w);
    const waits = () => w.broker.requests.map(({ maxWaitMs }) => maxWaitMs);
    await w.probe.until("the longest wait", () => waits().at(-1) === 40);
    expect(waits().slice(0, 4)).toEqual([5, 10, 20, 40]);
    w.broker.append(TOPIC_ID, 1, "a");
    await w.probe.until("the record", () => w.probe.count() === 1);
    expect(waits().at(-1)).toBe(5);
  });
});

describe("Fetcher: answers that were overtaken", () => {
  it("never repeats or loses a record, whatever joins, leaves, seeks, breaks and arrives late", async () => {
    const step = fc.oneof(
      fc.record({
        do: fc.constant("append" as const),
        p: fc.nat(2),
        n: fc.integer({ min: 1, max: 4 }),
      }),
      fc.record({
        do: fc.constantFrom("pause", "resume", "again", "seek", "cut", "rest"),
        p: fc.nat(2),
      }),
    );
    let stale = 0;
    let wakes = 0;
    await fc.assert(
      fc.asyncProperty(
        fc.array(step, { minLength: 10, maxLength: 40 }),
        fc.array(fc.nat(25), { minLength: 1, maxLength: 10 }),
        async (steps, delays) => {
          const w = world(3, { maxWaitMs: 40, fetchPartitionBytesMax: 200, fetchBytesMax: 400 });
          let answers = 0;
          w.broker.answerDelayMs = () => delays[answers++ % delays.length] as number;
          const keys = [...w.keys];
          const starts = [0, 0, 0];
          start(w);
          for (const one of steps) {
            const key = keys[one.p] as FetchKey;
            const log = w.broker.log(TOPIC_ID, one.p);
            if (one.do === "append") {
              const from = Number(log.end);
              log.append(...Array.from({ length: one.n }, (_, i) => `${one.p}/${from + i}`));
              w.broker.poke();
            } else if (one.do === "pause") w.probe.fetcher.pause(key);
            else if (one.do === "resume") w.probe.fetcher.resume(key);
            else if (one.do === "cut") w.broker.cut();
            else if (one.do === "rest") await nextAnswer(w.probe);
            else if (one.do === "seek") {
              const position = w.probe.position(key) as bigint;
              w.probe.delivered.delete(key);
              starts[one.p] = Number(position / 2n);
              w.probe.set(key, position / 2n);
            } else {
              const again = { ...key };
              keys[one.p] = again;
              w.probe.fetcher.remove(key);
              starts[one.p] = Number(log.end / 2n);
              w.probe.set(again, log.end / 2n);
            }
          }
          for (const key of keys) w.probe.fetcher.resume(key);
          for (const key of keys) {
            const { end } = w.broker.log(TOPIC_ID, key.partition);
            await w.probe.until("the end", () => w.probe.position(key) === end, 5000);
            const first = starts[key.partition] as number;
            const all = Array.from({ length: Number(end) - first }, (_, i) => first + i);
            expect(w.probe.values(key)).toEqual(all.map((offset) => `${key.partition}/${offset}`));
          }
          expect(w.probe.violations).toEqual([]);
          expect(w.probe.bytesAlive).toBe(0);
          stale += w.probe.fetcher.counters.staleAnswers;
          wakes += w.probe.fetcher.counters.wakes;
          await w.probe.close();
        },
      ),
      { numRuns: 50 },
    );
    // Without these the property would prove nothing.
    expect(stale).toBeGreaterThan(0);
    expect(wakes).toBeGreaterThan(0);
  }, 60_000);
});

describe("Fetcher: what goes wrong", () => {
  it("F02: follows a leader that moved", async () => {
    const w = world(2);
    start(w);
    w.broker.append(TOPIC_ID, 0, "a");
    await settle(w, 1);
    w.second.log(TOPIC_ID, 0).append("a", "b");
    w.cluster.leaders = [2, 1];
    w.broker.log(TOPIC_ID, 0).errorCode = 6;
    w.broker.poke();
    const [key] = w.keys as [FetchKey];
    await w.probe.until("its record from the other broker", () => w.probe.count() === 2);
    expect(w.probe.values(key)).toEqual(["a", "b"]);
    expect(w.cluster.invalidations).toBeGreaterThan(0);
    expect(w.probe.problems).toEqual([]);
  });

  it("one partition's refusal is a problem, heals, and holds up no other", async () => {
    const w = world(2);
    start(w);
    w.broker.log(TOPIC_ID, 0).errorCode = 29;
    w.broker.append(TOPIC_ID, 0, "secret");
    w.broker.append(TOPIC_ID, 1, "a");
    await w.probe.until("the other's record", () => w.probe.count() === 1);
    await w.probe.until("the problem", () => w.probe.problems[0]?.code === "kafkaAuthorization");
    w.broker.append(TOPIC_ID, 1, "b");
    await w.probe.until("the other's next", () => w.probe.count() === 2);
    w.broker.log(TOPIC_ID, 0).errorCode = 0;
    await w.probe.until("healed", () => w.probe.count() === 3);
    await w.probe.until("no problem", () => w.probe.problems.at(-1) === null);
  });

  it("F14: a topic with another id is not read", async () => {
    const w = world(1);
    w.cluster.topicId = "ffffffff-4455-6677-8899-aabbccddeeff";
    start(w);
    await w.probe.until("a problem", () => w.probe.problems[0]?.code === "kafkaTopicMissing");
    expect(w.broker.requests).toEqual([]);
  });

  it("F04: an absent cluster is a problem, and heals", async () => {
    const w = world(1);
    w.cluster.metadataError = new PenstockError("kafkaUnavailable", "away");
    start(w);
    await w.probe.until("a problem", () => w.probe.problems[0]?.code === "kafkaUnavailable");
    w.cluster.metadataError = null;
    w.broker.append(TOPIC_ID, 0, "a");
    w.probe.fetcher.wake();
    await w.probe.until("the record", () => w.probe.count() === 1);
    expect(w.probe.problems.at(-1)).toBeNull();
  });

  it("F06: drops a broker that accepts and never answers, and goes on when it does", async () => {
    const w = world(1, { maxWaitMs: 20, answerGraceMs: 30 });
    w.broker.override = () => "never";
    start(w);
    w.broker.append(TOPIC_ID, 0, "a");
    await w.probe.until("a problem", () => w.probe.problems[0]?.code === "kafkaUnavailable");
    expect(w.broker.connections).toBeGreaterThan(1);
    w.broker.override = () => undefined;
    await w.probe.until("the record", () => w.probe.count() === 1);
  });

  it("F11: an answer that breaks the protocol ends the connection and is reported", async () => {
    const w = world(1);
    w.broker.override = () => Buffer.from("00000000000000000000ffffffff7f", "hex");
    start(w);
    await w.probe.until("a problem", () => w.probe.problems[0]?.code === "kafkaCorrupt");
    w.broker.override = () => undefined;
    w.broker.append(TOPIC_ID, 0, "a");
    await w.probe.until("the record", () => w.probe.count() === 1);
    expect(w.broker.connections).toBeGreaterThan(1);
  });

  it("waits as long as a quota asks for", async () => {
    const w = world(1);
    const times: number[] = [];
    w.broker.override = ({ sessionId }) => {
      times.push(performance.now());
      return times.length === 1 ? { throttleMs: 300, sessionId } : undefined;
    };
    start(w);
    w.broker.append(TOPIC_ID, 0, "a");
    await w.probe.until("the record", () => w.probe.count() === 1);
    expect((times[1] as number) - (times[0] as number)).toBeGreaterThanOrEqual(299);
  });

  it("goes to the replica that the leader names, and back when that one refuses", async () => {
    const w = world(1, { clientRack: "b" });
    w.broker.log(TOPIC_ID, 0).preferredReplica = 2;
    w.broker.log(TOPIC_ID, 0).append("a", "b");
    w.second.log(TOPIC_ID, 0).append("a");
    start(w);
    await w.probe.until("from the follower", () => w.probe.count() === 1);
    expect(w.broker.requests[0]?.rack).toBe("b");
    w.broker.log(TOPIC_ID, 0).preferredReplica = -1;
    w.second.log(TOPIC_ID, 0).errorCode = 1;
    w.second.poke();
    await w.probe.until("from the leader", () => w.probe.count() === 2);
    expect(w.probe.outOfRange).toEqual([]);
  });
});

describe("Fetcher: damaged and unreadable batches", () => {
  function damage(w: World, index: number): void {
    const batch = w.broker.log(TOPIC_ID, 0).batches[index];
    if (batch) batch.bytes[batch.bytes.length - 2] = 0xee;
  }

  it("F10: bytes damaged on the way are fetched again, and nothing is lost", async () => {
    const w = world(1);
    for (const value of ["a", "b", "c"]) w.broker.log(TOPIC_ID, 0).append(value);
    const sound = Buffer.from(w.broker.log(TOPIC_ID, 0).batches[1]?.bytes ?? []);
    damage(w, 1);
    start(w);
    await w.probe.until("a second try", () => w.probe.fetcher.counters.damagedReads > 0);
    expect(w.probe.problems[0]?.code).toBe("kafkaCorrupt");
    sound.copy(w.broker.log(TOPIC_ID, 0).batches[1]?.bytes as Buffer);
    await w.probe.until("all", () => w.probe.count() === 3);
    expect(w.probe.undecodable).toEqual([]);
    expect(w.probe.problems.at(-1)).toBeNull();
  });

  it("F10: damage that stays is told with its range, and the partition waits for a new position", async () => {
    const w = world(1);
    const [key] = w.keys as [FetchKey];
    for (const value of ["a", "b", "c"]) w.broker.log(TOPIC_ID, 0).append(value);
    damage(w, 1);
    start(w);
    await w.probe.until("the report", () => w.probe.undecodable.length > 0);
    expect(w.probe.undecodable).toEqual([
      { key, from: 1n, to: 2n, reason: "checksum does not match" },
    ]);
    expect(w.probe.values(key)).toEqual(["a"]);
    w.probe.set(key, 2n);
    await w.probe.until("what comes after", () => w.probe.count() === 2);
    expect(w.probe.values(key)).toEqual(["a", "c"]);
  });

  it("F91: a bomb is told at once, and a seek inside the event goes on behind it", async () => {
    const w = world(1, { inflatedBytesMax: 1000 });
    const [key] = w.keys as [FetchKey];
    const log = w.broker.log(TOPIC_ID, 0);
    log.append("a");
    log.append("b");
    const { bytes } = log.batches[1] ?? { bytes: Buffer.alloc(0) };
    const { encodeRecordBatch, record } = await import("../decode/testing/encode-record-batch.ts");
    const bomb = encodeRecordBatch({
      baseOffset: 1n,
      records: [record(0, Buffer.alloc(100_000))],
      codec: "zstd",
    });
    expect(bytes.length).toBeGreaterThan(0);
    log.batches[1] = { baseOffset: 1n, nextOffset: 2n, bytes: bomb };
    log.append("c");
    start(w);
    await w.probe.until("the report", () => w.probe.undecodable.length > 0);
    w.probe.set(key, w.probe.undecodable[0]?.to as bigint);
    await w.probe.until("the one behind", () => w.probe.count() === 2);
    expect(w.probe.values(key)).toEqual(["a", "c"]);
  });
});

describe("Fetcher: holes at the end of the log (F16, L-1)", () => {
  it("passes offsets that hold nothing, once the broker has proved it", async () => {
    const w = world(2, { maxWaitMs: 20 });
    const [key] = w.keys as [FetchKey];
    const log = w.broker.log(TOPIC_ID, 0);
    log.append("a");
    log.hole(5n);
    start(w);
    await w.probe.until("the end", () => w.probe.position(key) === 6n);
    w.broker.append(TOPIC_ID, 0, "b");
    await w.probe.until("the next", () => w.probe.count() === 2);
    expect(w.probe.delivered.get(key)?.map(({ offset }) => offset)).toEqual([0n, 6n]);
  });

  it("also when the other partitions are never quiet", async () => {
    const w = world(2, { maxWaitMs: 20 });
    const [key, busy] = w.keys as [FetchKey, FetchKey];
    const log = w.broker.log(TOPIC_ID, 0);
    log.append("a");
    log.hole(5n);
    w.broker.answerDelayMs = () => 2;
    w.probe.onRecords = (from) => {
      if (from === busy) w.broker.append(TOPIC_ID, 1, "more");
    };
    w.broker.append(TOPIC_ID, 1, "more");
    start(w);
    await w.probe.until("the end", () => w.probe.position(key) === 6n, 8000);
  });

  it("never passes records that other partitions crowd out of the answers", async () => {
    const w = world(2, { maxWaitMs: 20, fetchBytesMax: 200, fetchPartitionBytesMax: 200 });
    const [big, busy] = w.keys as [FetchKey, FetchKey];
    w.broker.log(TOPIC_ID, 0).append("x".repeat(1000));
    w.broker.answerDelayMs = () => 2;
    w.probe.onRecords = (from) => {
      if (from === busy) w.broker.append(TOPIC_ID, 1, "more");
    };
    w.broker.append(TOPIC_ID, 1, "more");
    w.probe.set(busy, 0n);
    await w.probe.until("one", () => w.probe.count() > 1);
    w.probe.set(big, 0n);
    await w.probe.until("the big one", () => w.probe.values(big).length === 1, 8000);
  });
});
