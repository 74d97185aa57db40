/** Reading from followers (KIP-392): gone to when the leader says so, left when they can't serve. */
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FakeBroker } from "./testing/fake-broker.ts";
import { FakeCluster } from "./testing/fake-cluster.ts";
import { FetchProbe } from "./testing/fetch-probe.ts";

const TOPIC_ID = "00112233-4455-6677-8899-aabbccddeeff";
const KEY = { topicId: TOPIC_ID, partition: 0 };

describe("Fetcher: followers", () => {
  let leader: FakeBroker;
  let follower: FakeBroker;
  let cluster: FakeCluster;
  let probe: FetchProbe;
  let nowMs: number;

  beforeEach(() => {
    leader = new FakeBroker();
    follower = new FakeBroker();
    const brokers = new Map([
      [1, leader],
      [2, follower],
    ]);
    cluster = new FakeCluster(brokers, TOPIC_ID, [1]);
    nowMs = 0;
    const clock = { nowMs: () => nowMs + performance.now(), wallMs: () => Date.now() };
    probe = new FetchProbe(cluster, "orders", { clientRack: "b", maxWaitMs: 50, clock });
    // As the selector of racks does: only who names a rack is sent elsewhere.
    leader.override = ({ rack }) => {
      leader.log(TOPIC_ID, 0).preferredReplica = rack === "b" ? 2 : -1;
      return undefined;
    };
  });
  afterEach(async () => {
    await probe.close();
    expect(probe.violations).toEqual([]);
  });

  /** On both, as replicas have it. */
  function append(value: string): void {
    for (const broker of [follower, leader]) broker.append(TOPIC_ID, 0, value);
  }

  const came = (count: number) => probe.until(`${count} records`, () => probe.count() === count);

  async function readFromFollower(): Promise<void> {
    append("a");
    probe.set(KEY, 0n);
    await came(1);
    expect(follower.requests.length).toBeGreaterThan(0);
  }

  it("F12: a follower that lags is left for the leader, without a gap and without a loop", async () => {
    leader.append(TOPIC_ID, 0, "a", "b", "c");
    probe.set(KEY, 2n);
    await came(1);
    expect(follower.requests.length).toBe(1);
    expect(probe.outOfRange).toEqual([]);
    append("d");
    await came(2);
    expect(follower.requests.length).toBe(1);
  });

  it("a leader that sends it back to such a follower all the same is not asked in a tight loop", async () => {
    leader.override = () => undefined;
    leader.log(TOPIC_ID, 0).preferredReplica = 2;
    leader.append(TOPIC_ID, 0, "a", "b", "c");
    probe.set(KEY, 2n);
    await probe.until("three tries", () => follower.requests.length >= 3);
    expect(leader.requests.length).toBeLessThan(6);
    expect(probe.outOfRange).toEqual([]);
  });

  it("a follower that dies costs nothing but a moment, and is tried again later", async () => {
    await readFromFollower();
    follower.isDown = true;
    follower.cut();
    append("b");
    await came(2);
    append("c");
    await came(3);
    expect(probe.problems).toEqual([]);
    follower.isDown = false;
    nowMs += 31_000;
    const before = follower.requests.length;
    await probe.until("on the follower", () => follower.requests.length > before);
    append("d");
    await came(4);
  });

  it("a replica that moved away is left", async () => {
    await readFromFollower();
    follower.log(TOPIC_ID, 0).errorCode = 3;
    follower.poke();
    leader.append(TOPIC_ID, 0, "b");
    await came(2);
    expect(probe.problems).toEqual([]);
  });

  it("a follower that fell out of sync is left, though it answers", async () => {
    await readFromFollower();
    cluster.inSync = [1];
    leader.append(TOPIC_ID, 0, "b");
    nowMs += 6_000;
    await came(2);
  });

  it("F16, L-1: a hole at the end that a follower shows is proved by the leader", async () => {
    for (const broker of [follower, leader]) {
      broker.log(TOPIC_ID, 0).append("a");
      broker.log(TOPIC_ID, 0).hole(5n);
    }
    probe.set(KEY, 0n);
    await probe.until("behind the hole", () => probe.position(KEY) === 6n);
    expect(follower.requests.length).toBeGreaterThan(0);
    append("b");
    await came(2);
  });

  it("after its validity the leader is asked again who is nearest", async () => {
    await readFromFollower();
    const before = leader.requests.length;
    nowMs += 301_000;
    await probe.until("the leader is asked", () => leader.requests.length > before);
    append("b");
    await came(2);
  });
});
