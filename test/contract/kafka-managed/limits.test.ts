/** What managed clusters limit: rates, connections, idle time, the making of topics. One broker; its settings change while clients run. */
import { readFileSync } from "node:fs";
import { createSecurityAdmin, type KafkaSecurityAdmin } from "@penstock/kafka";
import { waitUntil } from "@penstock/testkit";
import { Admin, Connection, metadataV12 } from "@platformatic/kafka";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { GroupWorld } from "../../record-source/group-world.ts";
import type { Probe } from "../../record-source/probe.ts";
import { ManagedBroker } from "./managed-broker.ts";

const IDLE_MS = 4_000;
const DESCRIBE_CONFIGS = 32;

let broker: ManagedBroker;
let settings: KafkaSecurityAdmin;
const worlds: GroupWorld[] = [];

beforeAll(async () => {
  broker = await ManagedBroker.start({
    "auto.create.topics.enable": true,
    "connections.max.idle.ms": IDLE_MS,
    // Throttled soon, and for a second at a time.
    "quota.window.num": 2,
  });
  settings = createSecurityAdmin({ bootstrapServers: [broker.kafka.bootstrapServers] });
}, 120_000);
afterEach(async () => {
  for (const world of worlds.splice(0)) await world.close();
});
afterAll(async () => {
  await settings.close();
  await broker.stop();
});

interface Client {
  readonly world: GroupWorld;
  /** What its driver logged. */
  readonly said: string[];
}

function client(options: Parameters<ManagedBroker["clients"]>[1] = {}): Client {
  const said: string[] = [];
  const world = broker.clients(said, options);
  worlds.push(world);
  return { world, said };
}

const newTopic = () => broker.world.topic(1);

async function reading({ world }: Client, names?: { topic: string; groupId: string }) {
  const { topic, groupId } = names ?? (await newTopic());
  const probe = world.open({ topic, groupId, fetches: true });
  await probe.untilHolds(1);
  return { topic, groupId, probe };
}

const came = (probe: Probe, count: number, limitMs?: number) =>
  probe.until(`${count} records came`, () => probe.offsetsOf(0).length === count, limitMs);

/** Nothing happened that somebody would have to look at. */
function expectQuiet(probe: Probe, said: readonly string[]): void {
  expect(probe.of("problem")).toEqual([]);
  expect(probe.of("lost")).toEqual([]);
  expect(probe.of("revoking")).toEqual([]);
  expect(said.filter((line) => /^(warn|error) /.test(line))).toEqual([]);
}

const opened = (said: readonly string[]) =>
  said.filter((line) => line.includes("kafka connection open")).length;

async function setQuota(clientId: string, key: string, value: number): Promise<void> {
  const admin = new Admin({
    clientId: "operator",
    bootstrapBrokers: [broker.kafka.bootstrapServers],
  });
  try {
    const entities = [{ entityType: "client-id" as const, entityName: clientId }];
    const ops = [{ key: key as "consumer_byte_rate", value, remove: false as const }];
    await admin.alterClientQuotas({ entries: [{ entities, ops }], validateOnly: false });
  } finally {
    await admin.close();
  }
}

describe("quotas", () => {
  it("I-6: a byte rate slows records down; heartbeats and commits go on, nothing is given up", async () => {
    const slowed = client({ clientId: "slowed" });
    await setQuota("slowed", "consumer_byte_rate", 40_000);
    const { topic, groupId, probe } = await reading(slowed);
    for (let batch = 0; batch < 6; batch++) await broker.produce(topic, 1, 25_000);
    const startedAtMs = performance.now();
    await probe.until("the first came", () => probe.offsetsOf(0).length > 0);
    expect(await probe.commit(probe.assignment(0), 1n)).toBe("committed");
    await came(probe, 6, 60_000);
    // More than the rate lets through at once.
    expect(performance.now() - startedAtMs).toBeGreaterThan(1_000);
    expect(await probe.commit(probe.assignment(0), 6n)).toBe("committed");
    expect(await broker.world.committed(groupId, topic, 0)).toBe(6n);
    expectQuiet(probe, slowed.said);
    // Bootstrap, control, commit, and two for fetching: none of them twice.
    expect(opened(slowed.said)).toBeLessThanOrEqual(5);
  });

  it("F53: a share of request time that is used up costs time, not the membership", async () => {
    const slowed = client({ clientId: "starved" });
    await setQuota("starved", "request_percentage", 1);
    const { topic, probe } = await reading(slowed);
    const throttled = () => slowed.said.filter((line) => line.includes("throttles")).length;
    for (let round = 1; round <= 3; round++) {
      await broker.produce(topic, 5);
      await came(probe, 5 * round);
      expect(await probe.commit(probe.assignment(0), BigInt(5 * round))).toBe("committed");
    }
    await waitUntil("the broker throttles", () => throttled() > 0, 30_000);
    await broker.produce(topic, 5);
    await came(probe, 20);
    expect(probe.source.mayDispatch()).toBe(true);
    expectQuiet(probe, slowed.said);
  });
});

describe("connections", () => {
  it("that the broker closes when idle are opened again when needed, and nobody hears of it", async () => {
    const one = client();
    const { topic, probe } = await reading(one);
    const assignment = probe.assignment(0);
    await broker.produce(topic, 1);
    await came(probe, 1);
    expect(await probe.commit(assignment, 1n)).toBe("committed");
    const before = opened(one.said);
    await waitUntil("only its own are open", () => broker.proxy.open <= before);
    await waitUntil("the idle ones are closed", () => broker.proxy.open <= before - 2, 30_000);
    await broker.produce(topic, 1);
    await came(probe, 2);
    expect(await probe.commit(assignment, 2n)).toBe("committed");
    expect(opened(one.said)).toBeGreaterThan(before);
    expectQuiet(probe, one.said);
  });

  it("are as many as the formula says: a bootstrap, a control and a commit connection of all, a fetch connection of each", async () => {
    const one = client();
    const before = broker.proxy.open;
    const probes = [];
    for (let mapping = 0; mapping < 4; mapping++) {
      const { topic, probe } = await reading(one);
      await broker.produce(topic, 1);
      await came(probe, 1);
      expect(await probe.commit(probe.assignment(0), 1n)).toBe("committed");
      probes.push(probe);
    }
    expect(broker.proxy.open - before).toBeLessThanOrEqual(1 + 1 + 1 + probes.length);
    // The operating system looks after them: a network that forgets idle connections doesn't forget these.
    await waitUntil("keep-alive is on", () => keptAlive(broker.proxy.port) >= probes.length);
  });

  it("beyond the broker's limit are refused with what to change; those that are there go on, and it heals", async () => {
    const one = client();
    const old = await reading(one);
    const names = await newTopic();
    await limitConnections("1");
    onTestFinished(() => limitConnections("2147483647"));
    const late = client();
    const probe = late.world.open({ ...names, fetches: true });
    await probe.until("it is said", () => probe.problem !== null);
    expect(probe.problem).toMatchObject({ code: "kafkaUnavailable" });
    expect(probe.problem?.message).toContain("max.connections.per.ip");
    expect(probe.problem?.message).toContain("managed.test");
    await broker.produce(old.topic, 1);
    await came(old.probe, 1);
    expectQuiet(old.probe, one.said);
    await limitConnections("2147483647");
    await probe.until("it is a member", () => probe.held.size === 1);
    await probe.until("it is well", () => probe.problem === null);
  });
});

const limitConnections = (count: string) =>
  settings.setBrokerConfig(1, "max.connections.per.ip", count);

/** Connections of this process to a port on which the kernel's keep-alive timer runs (proc(5)). */
function keptAlive(port: number): number {
  const remote = `:${port.toString(16).toUpperCase().padStart(4, "0")}`;
  const rows = readFileSync("/proc/self/net/tcp", "utf8").split("\n").slice(1);
  return rows.filter((row) => {
    const [, , to, , , timer] = row.trim().split(/\s+/);
    return to?.endsWith(remote) && timer?.startsWith("02:");
  }).length;
}

describe("what is not offered", () => {
  it("DescribeConfigs is not asked for where the broker has none; three heartbeats count as the session", async () => {
    const before = broker.requests.length;
    const one = client({ apiVersionsMax: { [DESCRIBE_CONFIGS]: -1 } });
    const { topic, probe } = await reading(one);
    await broker.produce(topic, 1);
    await came(probe, 1);
    expect(broker.requests.slice(before)).not.toContain(DESCRIBE_CONFIGS);
    expectQuiet(probe, one.said);
  });

  it("a topic that is missing is not made, though the brokers would make it", async () => {
    const { world } = client();
    const topic = "never-made-by-penstock";
    const probe = world.open({ topic, groupId: `of-${topic}`, fetches: true });
    await probe.until("it is missed", () => probe.problem?.code === "kafkaTopicMissing");
    const missing = { code: "kafkaTopicMissing" };
    const { admin } = broker.world;
    await expect(admin.listOffsets(topic, "latest")).rejects.toMatchObject(missing);
    await expect(admin.newestRecords(topic, 10)).rejects.toMatchObject(missing);
    await expect(admin.committedOffsets("any", topic)).rejects.toMatchObject(missing);
    expect(await topics("made-by-another")).toContain("made-by-another");
    expect(await topics()).not.toContain(topic);
  });
});

/** All topics of the broker; one may be named as other clients do, who want it made. */
async function topics(wanted?: string): Promise<(string | null | undefined)[]> {
  const connection = new Connection("operator");
  await connection.connect("127.0.0.1", broker.kafka.port);
  try {
    if (wanted !== undefined)
      await metadataV12.api.async(connection, [wanted], true, false).catch(() => {});
    return await waitUntil("topics are told", async () => {
      const { topics: rows } = await metadataV12.api.async(connection, null, false, false);
      const names = rows.map(({ name }) => name);
      return wanted === undefined || names.includes(wanted) ? names : null;
    });
  } finally {
    await connection.close();
  }
}
