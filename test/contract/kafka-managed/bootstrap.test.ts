/** Ways into a cluster: several bootstrap servers, dead ones among them, names with several addresses, brokers known by other names. */
import { type AddressInfo, createServer, type Socket } from "node:net";
import type { AddressGuard } from "@penstock/kafka";
import { freePort } from "@penstock/local";
import { FaultProxy } from "@penstock/testkit";
import { afterAll, afterEach, describe, expect, inject, it, onTestFinished } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";
import type { Probe } from "../../record-source/probe.ts";

const kafka = inject("KAFKA");
const KAFKA_PORT = Number(kafka.split(":")[1]);
const operator = new GroupWorld(kafka);
const worlds: GroupWorld[] = [];
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});

afterAll(() => operator.close());

/** Takes connections and says nothing, as what a firewall swallows. Resolves with its port. */
async function silent(host = "127.0.0.1", port = 0): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
  });
  await new Promise<void>((resolve) => server.listen(port, host, resolve));
  onTestFinished(async () => {
    for (const socket of sockets) socket.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

/** A client that reads a new topic by these bootstrap servers. */
async function reads(bootstrapServers: string, addressGuard?: AddressGuard): Promise<Probe> {
  const { topic, groupId } = await operator.topic(1);
  const world = new GroupWorld(bootstrapServers, addressGuard && { addressGuard });
  worlds.push(world);
  const probe = world.open({ topic, groupId, fetches: true });
  await probe.untilHolds(1, 60_000);
  expect(await probe.commit(probe.assignment(0), 0n)).toBe("committed");
  return probe;
}

describe("bootstrap servers", () => {
  it("F04: that refuse, stay silent or have no name cost a moment and show no problem", async () => {
    const dead = [
      `127.0.0.1:${await freePort()}`,
      `127.0.0.1:${await silent()}`,
      "no-such-broker.invalid:9092",
    ];
    const probe = await reads([...dead, kafka].join(","));
    expect(probe.of("problem")).toEqual([]);
  });

  it("F04: that are all dead say why, the most telling first, and it heals when one comes back", async () => {
    const { topic, groupId } = await operator.topic(1);
    const port = await freePort();
    const world = new GroupWorld(`no-such-broker.invalid:9092,127.0.0.1:${port}`);
    worlds.push(world);
    const probe = world.open({ topic, groupId });
    await probe.until("it shows", () => probe.problem?.code === "kafkaHostUnknown");
    expect(probe.problem?.message).toContain("no-such-broker.invalid:9092");
    const proxy = await FaultProxy.start({ target: KAFKA_PORT, port });
    onTestFinished(() => proxy.stop());
    await probe.untilHolds(1);
    await probe.until("it is well", () => probe.problem === null);
    expect(proxy.accepted).toBeGreaterThan(0);
  });
});

describe("names", () => {
  it("with several addresses are good as long as one of them answers", async () => {
    await silent("127.0.0.3", KAFKA_PORT);
    const asked: string[] = [];
    const dialled = ["127.0.0.2", "127.0.0.3", "127.0.0.1"];
    const probe = await reads(`kafka.managed.test:${KAFKA_PORT}`, async (host) => {
      asked.push(host);
      return dialled.map((address) => ({ address, family: 4 }));
    });
    expect(probe.of("problem")).toEqual([]);
    // The broker calls itself by another name than the bootstrap server.
    expect(new Set(asked)).toEqual(new Set(["kafka.managed.test", "127.0.0.1"]));
  });

  it("of several addresses that all fail say the most telling failure", async () => {
    const port = await freePort();
    const world = new GroupWorld(`kafka.managed.test:${port}`, {
      addressGuard: async () =>
        ["127.0.0.2", "127.0.0.3"].map((address) => ({ address, family: 4 })),
    });
    worlds.push(world);
    const probe = world.open({ topic: "any", groupId: "any" });
    await probe.until("it shows", () => probe.problem?.code === "kafkaUnavailable");
    expect(probe.problem?.message).toContain("Nothing listens");
  });
});
