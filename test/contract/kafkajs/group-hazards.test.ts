import { createServer, type Socket } from "node:net";
import { PenstockError } from "@penstock/core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { KafkajsWorld, kafkajsDriver } from "./kafkajs-world.ts";

/** What kafkajs's consumer does to a group, and this driver doesn't. */
describe("kafkajs driver: the group", () => {
  let world: KafkajsWorld;
  beforeAll(async () => {
    world = await KafkajsWorld.open(inject("KAFKA"));
  });
  afterEach(() => world.endProbes());
  afterAll(() => world.close());

  it("K-1, I-5: what an old assignment commits is refused, also when the member has joined again", async () => {
    const { topic, groupId } = await world.operator.topic(2);
    await world.operator.fill(topic, 0, 20);
    const first = world.open({ topic, groupId, releasesAtOnce: false, drainLimitMs: 500 });
    await first.untilHolds(2);
    const old = first.assignment(0);
    const other = first.assignment(1);
    expect(await first.commit(old, 5n)).toBe("committed");
    const second = world.open({ topic, groupId });
    await second.untilHolds(1);
    await first.untilHolds(1);
    expect(first.of("lost").map(({ reason }) => reason)).toEqual(["drainLimit", "drainLimit"]);
    const kept = [old, other].find(({ partition }) => first.held.has(partition));
    expect(await first.commit(old, 7n)).toBe("fenced");
    expect(await first.commit(other, 7n)).toBe("fenced");
    expect(kept).not.toBe(first.held.get(kept?.partition ?? -1));
    expect(await world.operator.committed(groupId, topic, 0)).toBe(5n);
  });

  it("I-6: lanes that drain in time hand over at their commit", async () => {
    const { topic, groupId } = await world.operator.topic(2);
    const first = world.open({ topic, groupId, releasesAtOnce: false });
    await first.untilHolds(2);
    const second = world.open({ topic, groupId });
    await first.until("all is asked back", () => first.of("revoking").length === 2);
    await world.operator.fill(topic, 0, 10);
    // Kafka takes commits of the old generation until everybody has joined anew.
    for (const { assignment } of first.of("revoking")) {
      expect(await first.commit(assignment, 3n)).toBe("committed");
      first.release(assignment);
    }
    await second.untilHolds(1);
    await first.untilHolds(1);
    const starts = [...first.of("adopted").slice(2), ...second.of("adopted")];
    expect(starts.map(({ start }) => start.committed?.offset)).toEqual([3n, 3n]);
    expect(first.of("lost")).toEqual([]);
  });

  it("K-2, F12: a position outside the log is told, and neither moved nor committed", async () => {
    const { topic, groupId } = await world.operator.topic(1);
    await world.operator.fill(topic, 0, 20);
    await world.admin.deleteRecords(topic, new Map([[0, 15n]]));
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    probe.source.fetch(probe.assignment(0), 3n);
    await probe.until("it is told", () => probe.of("outOfRange").length === 1);
    expect(probe.of("outOfRange")[0]).toMatchObject({ position: 3n, logStart: 15n });
    expect(probe.of("records")).toEqual([]);
    expect(await world.operator.committed(groupId, topic, 0)).toBeUndefined();
    probe.source.fetch(probe.assignment(0), 15n);
    await probe.until("the rest came", () => probe.offsetsOf(0).length === 5);
  });

  it("K-12, I-8: a start is nobody's but the event poller's: nothing is committed for it, nothing fetched before it is said", async () => {
    const { topic, groupId } = await world.operator.topic(1);
    await world.operator.fill(topic, 0, 10);
    const first = world.open({ topic, groupId });
    await first.untilHolds(1);
    first.source.abort();
    await first.source.close();
    await world.operator.fill(topic, 0, 10, 10);
    const second = world.open({ topic, groupId });
    await second.untilHolds(1);
    for (const probe of [first, second]) {
      expect(probe.of("adopted")[0]?.start).toMatchObject({ committed: null, logStart: 0n });
      expect(probe.of("records")).toEqual([]);
    }
    expect(await world.operator.committed(groupId, topic, 0)).toBeUndefined();
  });

  it("K-11, L-3, F06: brokers that accept and never answer don't hold up the end", async () => {
    const sockets = new Set<Socket>();
    const silent = createServer((socket) => sockets.add(socket));
    await new Promise<void>((resolve) => silent.listen(0, "127.0.0.1", resolve));
    const { port } = silent.address() as { port: number };
    const probe = world.open({
      ...{ topic: "any", groupId: "any", drainLimitMs: 300 },
      bootstrapServers: `127.0.0.1:${port}`,
    });
    await probe.until("it has dialled", () => sockets.size > 0);
    const closedAtMs = performance.now();
    await probe.source.close();
    expect(performance.now() - closedAtMs).toBeLessThan(10_000);
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => silent.close(resolve));
  });

  it("K-13, S-07: what the brokers advertise is dialled only when the address guard lets it", async () => {
    const { topic, groupId } = await world.operator.topic(1);
    const port = world.bootstrapServers.split(":")[1];
    const asked: string[] = [];
    const guarded = kafkajsDriver({
      addressGuard: async (host) => {
        asked.push(host);
        if (host === "localhost") return { address: "127.0.0.1", family: 4 };
        throw new PenstockError("addressDenied", `${host} may not be dialled.`);
      },
    });
    const bootstrapServers = `localhost:${port}`;
    const probe = world.open({ topic, groupId, bootstrapServers }, guarded);
    await probe.until("it is told", () => probe.problem?.code === "addressDenied");
    expect(new Set(asked)).toEqual(new Set(["localhost", "127.0.0.1"]));
    expect(probe.of("adopted")).toEqual([]);
  });

  it("F36: shares a group with kafkajs's own consumer, and takes over when that leaves", async () => {
    const { topic, groupId } = await world.operator.topic(4);
    const consumer = world.operator.kafkajs.consumer({
      ...{ groupId, sessionTimeout: 8_000, maxWaitTimeInMs: 200 },
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({ eachMessage: async () => {} });
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(2);
    await consumer.disconnect();
    await probe.untilHolds(4);
    expect(probe.of("lost")).toEqual([]);
  });
});
