import { type AddressInfo, createServer, type Socket } from "node:net";
import { PenstockError } from "@penstock/core";
import { CANARY, createTestAuthority, waitUntil } from "@penstock/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it, onTestFinished } from "vitest";
import type { Probe } from "../../record-source/probe.ts";
import { offsetsOf, SecuredWorld, type User } from "./secured-world.ts";
import { password, type TestSecurity, trust } from "./test-security.ts";

let world: SecuredWorld;
beforeAll(async () => {
  world = await SecuredWorld.start();
}, 120_000);
afterEach(() => world.endClients());
afterAll(() => world.stop());

interface Reading {
  readonly topic: string;
  readonly groupId: string;
  readonly probe: Probe;
  /** Produces and waits until everything that was ever produced has come. */
  flows(count?: number): Promise<void>;
}

/** A source with its ACLs, reading. */
async function reading(
  listener: string,
  user: User,
  security: TestSecurity,
  driver = world.driver(),
): Promise<Reading> {
  const names = await world.topic();
  await world.acls.allow(...world.rules(user, names));
  const probe = world.source(listener, security, names, driver);
  let produced = 0;
  const flows = async (count = 20) => {
    await world.produce(names.topic, count);
    produced += count;
    await probe.until(
      `${produced} came`,
      () => new Set(offsetsOf(probe)).size === produced,
      60_000,
    );
  };
  await flows();
  return { ...names, probe, flows };
}

const shows = ({ probe }: Reading, code: string) =>
  probe.until(`${code} shows`, () => probe.problem?.code === code, 60_000);
const isWell = ({ probe }: Reading) =>
  probe.until("the problem is gone", () => probe.problem === null, 60_000);

describe("F18: rights and passwords that change while records flow", () => {
  it("an ACL withdrawn stops its source alone, says so, and heals when restored", async () => {
    const driver = world.driver();
    const other = await reading("SASL_TLS", "scram-user", world.scram(), driver);
    const one = await reading("SASL_TLS", "plain-user", world.plain(), driver);
    for (const rule of world.rules("plain-user", one)) {
      await world.acls.withdraw(rule);
      await shows(one, "kafkaAuthorization");
      expect(one.probe.problem?.message).toContain(`allow it Read on the`);
      await other.flows();
      expect(other.probe.problem).toBeNull();
      await world.acls.allow(rule);
      await isWell(one);
      await one.flows();
    }
    expect(other.probe.of("lost")).toEqual([]);
  });

  it("a mapping never rides on the connections of another one's secret", async () => {
    const driver = world.driver();
    const one = await reading("SASL_TLS", "plain-user", world.plain(), driver);
    const rider = world.source("SASL_TLS", world.scram(), one, driver);
    await rider.until("it is refused", () => rider.problem?.code === "kafkaAuthorization");
    expect(rider.held.size).toBe(0);
    await one.flows();
  });

  it("a password changed on the brokers shows when a session ends, and the new secret heals it", async () => {
    const old = "the old password";
    await world.acls.setScramPassword("scram-user", old);
    const security = world.security(password("SCRAM-SHA-256", "scram-user", old));
    const one = await reading("SHORT_SESSIONS", "scram-user", security);
    const renewed = `the new password ${CANARY}`;
    await world.acls.setScramPassword("scram-user", renewed);
    await shows(one, "kafkaAuthentication");
    expect(security.refusals.length).toBeGreaterThan(0);
    security.rotate({ sasl: password("SCRAM-SHA-256", "scram-user", renewed) });
    await isWell(one);
    await one.flows();
    // Accounts get locked: between refusals there were pauses in which nobody was asked.
    expect(security.refusals.length).toBeLessThan(security.asked.length / 2);
  });

  it("a secret that changes together with the brokers' costs no membership", async () => {
    const security = world.scram();
    await world.acls.setScramPassword("scram-user", `first ${CANARY}`);
    security.rotate({ sasl: password("SCRAM-SHA-512", "scram-user", `first ${CANARY}`) });
    const one = await reading("SHORT_SESSIONS", "scram-user", security);
    await world.acls.setScramPassword("scram-user", `second ${CANARY}`);
    security.rotate({ sasl: password("SCRAM-SHA-512", "scram-user", `second ${CANARY}`) });
    const asked = security.asked.length;
    await one.probe.until("sessions ended", () => security.asked.length >= asked + 4, 60_000);
    await one.flows();
    expect(one.probe.of("lost")).toEqual([]);
    expect(one.probe.of("problem")).toEqual([]);
  });
});

describe("sessions that end (KIP-368)", () => {
  it("are extended on the same connections: nothing is lost, dispatch never stops", async () => {
    const security = world.plain();
    const one = await reading("SHORT_SESSIONS", "plain-user", security);
    const before = security.asked.length;
    let mayAlways = true;
    await waitUntil(
      "several sessions have passed",
      async () => {
        await world.produce(one.topic, 1);
        mayAlways &&= one.probe.source.mayDispatch();
        return security.asked.length >= before + 6;
      },
      90_000,
    );
    expect(mayAlways).toBe(true);
    expect(one.probe.of("lost")).toEqual([]);
    expect(one.probe.of("problem")).toEqual([]);
    const opened = world.said.filter((line) => line.includes("kafka connection open")).length;
    await one.probe.until("more sessions", () => security.asked.length >= before + 9, 60_000);
    expect(world.said.filter((line) => line.includes("kafka connection open")).length).toBe(opened);
    expect(await one.probe.commit(one.probe.assignment(0), 1n)).toBe("committed");
  });

  it("a token is asked for again before its session ends", async () => {
    const security = await world.bearer(4);
    const one = await reading("SASL_TLS", "token-user", security);
    const tokens = setInterval(async () => {
      security.rotate((await world.bearer(4)).secrets);
    }, 1_000);
    onTestFinished(() => clearInterval(tokens));
    const before = security.asked.length;
    await one.probe.until("sessions ended", () => security.asked.length >= before + 6, 90_000);
    await one.flows();
    expect(one.probe.of("lost")).toEqual([]);
  });
});

describe("F19: certificates that change while records flow", () => {
  it("the broker's certificate is renewed: nobody notices", async () => {
    const one = await reading("SASL_TLS", "plain-user", world.plain());
    await world.show("SASL_TLS", await world.authority.issue(["localhost", "127.0.0.1"]));
    const late = world.adminBy("SASL_TLS", world.plain());
    expect((await late.describeTopic(one.topic)).partitions).toEqual([0]);
    await one.flows();
    expect(one.probe.of("problem")).toEqual([]);
  });

  it("the authority is replaced: refused, and well again with the new root", async () => {
    const security = world.plain();
    const one = await reading("SHORT_SESSIONS", "plain-user", security);
    const authority = await createTestAuthority();
    await world.show("SHORT_SESSIONS", await authority.issue(["localhost", "127.0.0.1"]));
    // Sessions that can't be extended end their connections; the next ones meet the new certificate first.
    const { sasl } = security.secrets;
    security.rotate({ sasl: password("PLAIN", "plain-user", `wrong ${CANARY}`) });
    await shows(one, "kafkaTls");
    expect(security.refusals.length).toBeGreaterThan(0);
    security.rotate({ tls: trust(authority.certificate), sasl });
    await isWell(one);
    await one.flows();
  });

  it("the client's certificate is replaced: the next connections show the new one", async () => {
    const security = world.mutualTls(
      await world.authority.issue(["tls-user"], { isExpired: true }),
    );
    const names = await world.topic();
    await world.acls.allow(...world.rules("tls-user", names));
    const probe = world.source("MUTUAL_TLS", security, names);
    await probe.until("it is refused", () => probe.problem?.code === "kafkaTls", 60_000);
    const renewed = world.mutualTls(await world.authority.issue(["tls-user"]));
    security.rotate(renewed.secrets);
    await probe.until("it is a member", () => probe.held.size === 1, 60_000);
    await probe.until("the problem is gone", () => probe.problem === null, 60_000);
  });
});

describe("a hostile broker", () => {
  /** Keeps the first bytes that it is sent. */
  async function thief(): Promise<{ at: string; received: () => string; met: () => number }> {
    const sockets = new Set<Socket>();
    const received: Buffer[] = [];
    const server = createServer((socket) => {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.on("data", (bytes) => {
        received.push(bytes);
        socket.end();
      });
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    });
    return {
      at: `127.0.0.1:${(server.address() as AddressInfo).port}`,
      received: () => Buffer.concat(received).toString("latin1"),
      met: () => sockets.size,
    };
  }

  it("is not even dialled when the secret's policy refuses it", async () => {
    const { at, met } = await thief();
    const security = world.plain();
    security.deny(new PenstockError("secretDenied", "The secret may not be sent there."));
    const admin = world.adminAt([at], security);
    await expect(admin.describeTopic("any")).rejects.toMatchObject({ code: "secretDenied" });
    expect(met()).toBe(0);
    expect(security.asked).toEqual([at]);
  });

  it("S-21: sees nothing of a password before it has proved its name", async () => {
    const { at, received } = await thief();
    const admin = world.adminAt([at], world.plain());
    await expect(admin.describeTopic("any")).rejects.toThrow(PenstockError);
    expect(received().length).toBeGreaterThan(0);
    expect(received()).not.toContain(CANARY);
    expect(received()).not.toContain("plain-user");
  });

  it("S-07: advertised brokers are asked for by their own names too", async () => {
    const security = world.plain();
    const { topic } = await world.topic();
    await world.acls.allow(world.rules("plain-user", { topic, groupId: topic })[0]);
    const [, port] = world.at("SASL_TLS").split(":");
    const admin = world.adminAt([`localhost:${port}`], security);
    await admin.listOffsets(topic, "latest");
    expect(new Set(security.asked)).toEqual(new Set([`localhost:${port}`, `127.0.0.1:${port}`]));
  });
});

describe("I-21", () => {
  it("no secret is in anything that was logged or reported", async () => {
    await world.endClients();
    expect(world.said.length).toBeGreaterThan(20);
    expect(world.said.join("\n")).not.toContain(CANARY);
  });
});
