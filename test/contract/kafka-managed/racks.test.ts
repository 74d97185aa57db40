/** Rack awareness (KIP-392) on three brokers in three racks: the replica of the own rack is read from, and left when it can't serve. */
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import type { TopicAndGroup } from "../../record-source/operator.ts";
import type { Probe } from "../../record-source/probe.ts";
import { flows, ManagedCluster } from "./managed-cluster.ts";

let cluster: ManagedCluster;
beforeAll(async () => {
  cluster = await ManagedCluster.start();
}, 120_000);
afterEach(() => cluster.endClients());
afterAll(() => cluster.stop());

/** Reads in rack c, whose broker is 3, and does so from that broker. */
async function readsFromRack(names: TopicAndGroup): Promise<Probe> {
  const probe = await cluster.reads(names, { rack: "c" });
  await flows(cluster, names.topic, probe);
  await comeFrom(3, names, probe);
  return probe;
}

/** Records come, and the fetches that bring them go to one broker alone. */
async function comeFrom(nodeId: number, { topic }: TopicAndGroup, probe: Probe): Promise<void> {
  const others = [1, 2, 3].filter((node) => node !== nodeId);
  const before = others.map((node) => cluster.fetches(node));
  const own = cluster.fetches(nodeId);
  // The first of them may come with a request that is parked there already.
  await flows(cluster, topic, probe);
  await flows(cluster, topic, probe);
  expect(cluster.fetches(nodeId)).toBeGreaterThan(own);
  expect(others.map((node) => cluster.fetches(node))).toEqual(before);
}

function expectQuiet(probe: Probe): void {
  expect(probe.of("outOfRange")).toEqual([]);
  expect(probe.of("lost")).toEqual([]);
  expect(probe.of("problem")).toEqual([]);
}

describe("a client in a rack", () => {
  it("reads from the replica there; one without a rack, or in another, from the leader", async () => {
    const names = await cluster.topic([2, 3]);
    const near = await readsFromRack(names);
    expectQuiet(near);
    await cluster.endClients();
    const far = await cluster.reads({ ...names, groupId: "far" }, { rack: "z" });
    await flowsAll(names, far);
    await comeFrom(2, names, far);
  });

  it("F02: follows a replica that is taken off its broker", async () => {
    const names = await cluster.topic([2, 3]);
    const probe = await readsFromRack(names);
    await cluster.move(names.topic, [0], [2, 1]);
    await flows(cluster, names.topic, probe);
    expectQuiet(probe);
    await comeFrom(2, names, probe);
  });
});

/** What is there already, from the first on. */
async function flowsAll({ topic }: TopicAndGroup, probe: Probe): Promise<void> {
  await probe.until("what was there has come", () => probe.offsetsOf(0).length === 15);
  await flows(cluster, topic, probe);
}
