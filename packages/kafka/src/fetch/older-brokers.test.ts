/** Reading from brokers that name topics (before Kafka 3.1), keep no sessions (before 1.1), or have no ids for topics. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { NO_TOPIC_ID } from "../cluster/cluster.ts";
import { FakeBroker } from "./testing/fake-broker.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";
import { FetchProbe } from "./testing/fetch-probe.ts";

const OLD_ID = "00112233-4455-6677-8899-aabbccddeeff";
const NEW_ID = "ffffffff-4455-6677-8899-aabbccddeeff";

describe("Fetcher: older brokers", () => {
  let broker: FakeBroker;
  let cluster: FakeCluster;
  let probe: FetchProbe;

  beforeEach(() => {
    broker = new FakeBroker();
    broker.namedTopicId = OLD_ID;
    cluster = new FakeCluster(new Map([[1, broker]]), OLD_ID, [1, 1]);
    probe = new FetchProbe(cluster, "orders", { maxWaitMs: 50 });
  });
  afterEach(async () => {
    await probe.close();
    expect(probe.violations).toEqual([]);
  });

  const came = (count: number) => probe.until(`${count} records`, () => probe.count() === count);
  const keys = (topicId: string) => [0, 1].map((partition) => ({ topicId, partition }));

  it.each([4, 6, 7, 9, 11, 12])(
    "I-1, I-3: Fetch %i reads two partitions in order",
    async (version) => {
      cluster.versionMax = version;
      for (const key of keys(OLD_ID)) probe.set(key, 0n);
      broker.append(OLD_ID, 0, "a", "b");
      broker.append(OLD_ID, 1, "c");
      await came(3);
      broker.append(OLD_ID, 1, "d");
      await came(4);
      expect(probe.fetcher.counters.sessionsOpened).toBe(version >= 7 ? 1 : 0);
      expect(broker.requests.some(({ sessionEpoch }) => sessionEpoch > 0)).toBe(version >= 7);
      expect(broker.requests[0]?.partitions[0]?.leaderEpoch).toBe(version >= 9 ? 3 : -1);
    },
  );

  it("the end of the log is told also where the log start is not (Fetch 4), so that lag is known", async () => {
    cluster.versionMax = 4;
    const [key] = keys(OLD_ID);
    if (!key) throw new Error("a key");
    probe.set(key, 0n);
    broker.append(OLD_ID, 0, "a", "b");
    await came(2);
    expect(probe.ends.get(key)).toEqual({ logStart: 0n, logEnd: 2n, highWatermark: 2n });
  });

  it("topics without an id are asked for by name also where ids could be sent", async () => {
    cluster.topicId = NO_TOPIC_ID;
    broker.namedTopicId = NO_TOPIC_ID;
    const [key] = keys(NO_TOPIC_ID);
    if (key) probe.set(key, 0n);
    broker.append(NO_TOPIC_ID, 0, "a");
    await came(1);
    // As after an upgrade: the assignment of before goes on.
    cluster.topicId = OLD_ID;
    broker.append(NO_TOPIC_ID, 0, "b");
    await came(2);
    probe.fetcher.wake();
    broker.cut();
    broker.append(NO_TOPIC_ID, 0, "c");
    await came(3);
    expect(probe.problems).toEqual([]);
  });

  it("F14: when the topic was made anew the assignment of before is not read on, and the new one is", async () => {
    cluster.versionMax = 12;
    const [old] = keys(OLD_ID);
    const [next] = keys(NEW_ID);
    if (!old || !next) throw new Error("two keys");
    probe.set(old, 0n);
    broker.append(OLD_ID, 0, "a", "b");
    await came(2);
    broker.namedTopicId = NEW_ID;
    cluster.topicId = NEW_ID;
    broker.append(NEW_ID, 0, "x", "y", "z");
    probe.set(next, 0n);
    await probe.until("the new ones", () => probe.values(next).length === 3);
    expect(probe.values(old)).toEqual(["a", "b"]);
    await probe.until("it is told", () => probe.problems.at(-1)?.code === "kafkaTopicMissing");
    probe.fetcher.remove(old);
    broker.append(NEW_ID, 0, "w");
    await probe.until("it goes on", () => probe.values(next).length === 4);
  });
});
