import { CANARY, createTestAuthority } from "@penstock/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  PLAIN_PASSWORD,
  SCRAM_PASSWORD,
  SecuredWorld,
  type User,
} from "../kafka-security/secured-world.ts";
import { password, TestSecurity, trust } from "../kafka-security/test-security.ts";
import { kafkajsDriver } from "./kafkajs-world.ts";

let world: SecuredWorld;
beforeAll(async () => {
  world = await SecuredWorld.start();
}, 120_000);
afterEach(() => world.endClients());
afterAll(async () => {
  await world.stop();
  expect(world.said.filter((line) => line.includes(CANARY))).toEqual([]);
});

async function reading(listener: string, user: User, security: TestSecurity) {
  const names = await world.topic();
  await world.acls.allow(...world.rules(user, names));
  await world.produce(names.topic, 20);
  return { ...names, probe: world.source(listener, security, names, kafkajsDriver()) };
}

const WAYS: readonly [string, string, User, () => Promise<TestSecurity> | TestSecurity][] = [
  ["SASL PLAIN over TLS", "SASL_TLS", "plain-user", () => world.plain()],
  [
    "SCRAM-SHA-256",
    "SASL_TLS",
    "scram-user",
    () => world.security(password("SCRAM-SHA-256", "scram-user", SCRAM_PASSWORD)),
  ],
  ["SCRAM-SHA-512", "SASL_TLS", "scram-user", () => world.scram()],
  ["OAUTHBEARER", "SASL_TLS", "token-user", () => world.bearer()],
  ["mutual TLS", "MUTUAL_TLS", "tls-user", () => world.mutualTls()],
];

describe("kafkajs driver: secured brokers", () => {
  it.each(WAYS)("reads and commits by %s", async (_way, listener, user, open) => {
    const security = await open();
    const { probe } = await reading(listener, user, security);
    await probe.until("20 came", () => probe.offsetsOf(0).length === 20);
    expect(await probe.commit(probe.assignment(0), 20n)).toBe("committed");
    expect(probe.problem).toBeNull();
    expect(security.refusals).toEqual([]);
  });

  it("F18: a wrong password is told, asked for with pauses, and heals without a restart", async () => {
    const security = world.security(password("PLAIN", "plain-user", `wrong ${CANARY}`));
    const { probe } = await reading("SASL_TLS", "plain-user", security);
    await probe.until("it is told", () => probe.problem?.code === "kafkaAuthentication");
    expect(security.refusals.length).toBeGreaterThan(0);
    security.rotate({ sasl: password("PLAIN", "plain-user", PLAIN_PASSWORD) });
    await probe.until("20 came", () => probe.offsetsOf(0).length === 20);
    await probe.until("it is well", () => probe.problem === null);
    expect(security.refusals.length).toBeLessThan(security.asked.length);
  });

  it("F18: rights that are missing are told, and used when they come", async () => {
    const names = await world.topic();
    const probe = world.source("SASL_TLS", world.scram(), names, kafkajsDriver());
    await probe.until("it is told", () => probe.problem?.code === "kafkaAuthorization");
    await world.acls.allow(...world.rules("scram-user", names));
    await probe.untilHolds(1);
    await probe.until("it is well", () => probe.problem === null);
  });

  it.each([
    ["EXPIRED", "has expired"],
    ["WRONG_NAME", "is for another name"],
  ])("F19, S-21: a certificate that is not the broker's is refused: %s", async (listener, text) => {
    const names = await world.topic();
    const probe = world.source(listener, world.mutualTls(), names, kafkajsDriver());
    await probe.until("it is told", () => probe.problem?.code === "kafkaTls");
    expect(probe.problem?.message).toContain(text);
  });

  it("F19, S-21: an authority that nobody trusts is refused, and heals with the right one", async () => {
    const stranger = await createTestAuthority();
    const security = world.plain();
    security.rotate({ tls: trust(stranger.certificate) });
    const { probe } = await reading("SASL_TLS", "plain-user", security);
    await probe.until("it is told", () => probe.problem?.code === "kafkaTls");
    security.rotate({ tls: trust(world.authority.certificate) });
    await probe.until("20 came", () => probe.offsetsOf(0).length === 20);
  });

  it("a plaintext client at a port with TLS is told so", async () => {
    const names = await world.topic();
    const plaintext = new TestSecurity("none", { tls: null, sasl: null });
    const probe = world.source("SASL_TLS", plaintext, names, kafkajsDriver());
    await probe.until("it is told", () => probe.problem?.code === "kafkaProtocolMismatch");
  });

  it("KIP-368: sessions that end are extended, and cost neither records nor the membership", async () => {
    const security = world.plain();
    const { probe, topic } = await reading("SHORT_SESSIONS", "plain-user", security);
    await probe.until("20 came", () => probe.offsetsOf(0).length === 20);
    const asked = security.asked.length;
    await probe.until("sessions ended", () => security.asked.length >= asked + 6, 60_000);
    await world.produce(topic, 10);
    await probe.until("30 came", () => probe.offsetsOf(0).length === 30);
    expect(probe.of("lost")).toEqual([]);
    expect(security.refusals).toEqual([]);
  });
});
