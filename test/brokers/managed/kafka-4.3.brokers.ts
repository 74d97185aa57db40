/** Reading in a rack while brokers die, move and come back elsewhere: longer than `npm test` has time for. */
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { flows, ManagedCluster } from "../../contract/kafka-managed/managed-cluster.ts";
import type { TopicAndGroup } from "../../record-source/operator.ts";
import type { Probe } from "../../record-source/probe.ts";

let cluster: ManagedCluster;
beforeAll(async () => {
  cluster = await ManagedCluster.start();
}, 120_000);
afterEach(() => cluster.endClients());
afterAll(() => cluster.stop());

/** Reads in rack c, whose broker is 3. */
async function readsFromRack(names: TopicAndGroup): Promise<Probe> {
  const probe = await cluster.reads(names, { rack: "c" });
  await flows(cluster, names.topic, probe);
  await comeFrom(3, names, probe);
  return probe;
}

async function comeFrom(nodeId: number, { topic }: TopicAndGroup, probe: Probe): Promise<void> {
  const own = cluster.fetches(nodeId);
  // The first of them may come with a request that is parked there already.
  await flows(cluster, topic, probe);
  await flows(cluster, topic, probe);
  expect(cluster.fetches(nodeId)).toBeGreaterThan(own);
}

describe("Kafka 4.3, native driver, consumer groups, plaintext: brokers in racks, killed, moved and replaced", () => {
  describe("a client in a rack", () => {
    it("F01, I-1, I-3: goes to the leader at once when the replica's broker is killed", async () => {
      const names = await cluster.topic([2, 3]);
      const probe = await readsFromRack(names);
      await cluster.kafka.broker(3).kill();
      onTestFinished(() => cluster.kafka.broker(3).restart());
      await flows(cluster, names.topic, probe);
      await comeFrom(2, names, probe);
      expect(probe.of("outOfRange")).toEqual([]);
      expect(probe.of("lost")).toEqual([]);
    });

    it("F02: goes on when the leader is killed and the replica leads", async () => {
      const names = await cluster.topic([2, 3]);
      const probe = await readsFromRack(names);
      await cluster.kafka.broker(2).kill();
      onTestFinished(() => cluster.kafka.broker(2).restart());
      await flows(cluster, names.topic, probe);
      await comeFrom(3, names, probe);
      expect(probe.of("outOfRange")).toEqual([]);
      expect(probe.of("lost")).toEqual([]);
    });
  });

  describe("brokers that come and go", () => {
    it("F02, I-1, I-3: one comes back under its id at another address", async () => {
      const names = await cluster.topic([2]);
      const probe = await cluster.reads(names);
      await flows(cluster, names.topic, probe);
      await cluster.readdress(2);
      await flows(cluster, names.topic, probe);
      expect(probe.of("outOfRange")).toEqual([]);
    });

    it("F02, I-1, I-3: a new one takes over everything of another, which leaves for good", async () => {
      const names = await cluster.topic([2]);
      const probe = await cluster.reads(names);
      await flows(cluster, names.topic, probe);
      const { nodeId } = await cluster.kafka.addBroker();
      await cluster.show(nodeId);
      await cluster.move(names.topic, [0], [nodeId]);
      await cluster.move("__consumer_offsets", [0], [nodeId, 1]);
      await flows(cluster, names.topic, probe);
      await cluster.kafka.removeBroker(2);
      await flows(cluster, names.topic, probe);
      await comeFrom(nodeId, names, probe);
      expect(await probe.commit(probe.assignment(0), 1n)).toBe("committed");
      expect(probe.of("outOfRange")).toEqual([]);
    });
  });
});
