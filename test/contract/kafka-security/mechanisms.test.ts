import type { PenstockError, SaslCredentials } from "@penstock/core";
import { createProducer } from "@penstock/kafka";
import { CANARY, createTestAuthority } from "@penstock/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  offsetsOf,
  PLAIN_PASSWORD,
  SCRAM_PASSWORD,
  SecuredWorld,
  type User,
} from "./secured-world.ts";
import { bearer, password, TestSecurity, trust } from "./test-security.ts";

let world: SecuredWorld;
beforeAll(async () => {
  world = await SecuredWorld.start();
}, 120_000);
afterEach(() => world.endClients());
afterAll(() => world.stop());

type Open = () => Promise<TestSecurity> | TestSecurity;

const scram = (mechanism: "SCRAM-SHA-256" | "SCRAM-SHA-512") =>
  password(mechanism, "scram-user", SCRAM_PASSWORD);

const WAYS: readonly [string, string, User, Open][] = [
  ["SASL PLAIN over TLS", "SASL_TLS", "plain-user", () => world.plain()],
  ["SCRAM-SHA-256", "SASL_TLS", "scram-user", () => world.security(scram("SCRAM-SHA-256"))],
  ["SCRAM-SHA-512", "SASL_TLS", "scram-user", () => world.security(scram("SCRAM-SHA-512"))],
  ["OAUTHBEARER", "SASL_TLS", "token-user", () => world.bearer()],
  ["mutual TLS", "MUTUAL_TLS", "tls-user", () => world.mutualTls()],
  [
    "SCRAM without TLS",
    "SASL_PLAINTEXT",
    "scram-user",
    () => new TestSecurity("p", { tls: null, sasl: scram("SCRAM-SHA-256") }),
  ],
];

describe("a source with the ACLs Read on its topic and Read on its group", () => {
  it.each(WAYS)("reads, commits and is described by %s", async (_way, listener, user, open) => {
    const names = await world.topic();
    await world.acls.allow(...world.rules(user, names));
    await world.produce(names.topic, 50);
    const security = await open();
    const probe = world.source(listener, security, names);
    await probe.until("50 records came", () => offsetsOf(probe).length === 50);
    expect(await probe.commit(probe.assignment(0), 50n)).toBe("committed");
    expect(probe.problem).toBeNull();

    const admin = world.adminBy(listener, security);
    expect((await admin.describeTopic(names.topic)).partitions).toEqual([0]);
    expect((await admin.listOffsets(names.topic, "latest")).get(0)?.offset).toBe(50n);
    expect((await admin.committedOffsets(names.groupId, names.topic)).get(0)?.offset).toBe(50n);
    expect((await admin.describeGroup(names.groupId)).members).toHaveLength(1);
    expect(await admin.newestRecords(names.topic, 3)).toHaveLength(3);
    expect(security.refusals).toEqual([]);
  });

  it.each([
    ["1.0", { 17: 1, 36: 0 }],
    ["2.2", { 17: 1, 36: 1 }],
  ])("comes in by the exchange of Kafka %s", async (_version, apiVersionsMax) => {
    const names = await world.topic();
    await world.acls.allow(...world.rules("scram-user", names));
    const security = await world.security(scram("SCRAM-SHA-512"));
    const admin = world.adminAt([world.at("SASL_TLS")], security, apiVersionsMax);
    expect((await admin.describeTopic(names.topic)).partitions).toEqual([0]);
  });

  it("says that the exchange of Kafka 0.11 is not spoken", async () => {
    const security = await world.security(scram("SCRAM-SHA-512"));
    const versions = { 17: 0, 36: -1 };
    const admin = world.adminAt([world.at("SASL_TLS")], security, versions);
    await expect(admin.describeTopic("any")).rejects.toMatchObject({ code: "kafkaUnsupported" });
  });

  it("the producer of tests comes in by SASL and TLS too", async () => {
    const { topic } = await world.topic();
    await world.acls.allow({
      principal: "User:plain-user",
      operation: "Write",
      resource: "topic",
      name: topic,
    });
    const security = world.security(password("PLAIN", "plain-user", PLAIN_PASSWORD));
    const bootstrapServers = [world.at("SASL_TLS")];
    const producer = await createProducer({ bootstrapServers, security });
    await producer.send(topic, [{ value: "by SASL" }]);
    await producer.close();
    expect(await world.admin.newestRecords(topic, 1)).toHaveLength(1);
  });
});

/** What a source without rights to anything is told, when it asks for a topic. */
async function refusal(server: string, security?: TestSecurity, topic = "any"): Promise<string> {
  const admin = world.adminAt([server], security);
  try {
    await admin.describeTopic(topic);
  } catch (error) {
    world.said.push(String((error as Error).stack));
    const { code, message } = error as PenstockError;
    return `${code}: ${message}`;
  }
  return "nothing";
}

const at = (listener: string) => world.at(listener);
const login = (mechanism: "PLAIN" | "SCRAM-SHA-256" | "SCRAM-SHA-512", user: string) =>
  world.security(password(mechanism, user, `wrong ${CANARY}`));
const trusting = (ca: string | null, sasl: SaslCredentials | null = null) =>
  new TestSecurity("trusting", { tls: trust(ca), sasl });
const good = password("PLAIN", "plain-user", PLAIN_PASSWORD);

type Case = readonly [what: string, said: RegExp, ask: () => Promise<string>];

describe("what is wrong is said with its code, its place and its cure", () => {
  it.each<Case>([
    [
      "a host that nobody knows",
      /^kafkaHostUnknown: .*correct the host.*no-such-host\.invalid:9092/,
      () => refusal("no-such-host.invalid:9092", world.plain()),
    ],
    [
      "a port where nothing listens",
      /^kafkaUnavailable: .*correct the port.*127\.0\.0\.1:1\)/,
      () => refusal("127.0.0.1:1", world.plain()),
    ],
    [
      "TLS to the plaintext port",
      /^kafkaProtocolMismatch: 127\.0\.0\.1:\d+ speaks plaintext.*TLS listener/,
      () => refusal(at("PLAINTEXT"), trusting(world.authority.certificate)),
    ],
    [
      "plaintext to the TLS port",
      /^kafkaProtocolMismatch: 127\.0\.0\.1:\d+ speaks TLS.*SERVER_ROOT_CA_CERTIFICATE/,
      () => refusal(at("SASL_TLS")),
    ],
    [
      "authentication where there is none",
      /^kafkaProtocolMismatch: .*does no SASL/,
      () => refusal(at("PLAINTEXT"), new TestSecurity("none", { tls: null, sasl: good })),
    ],
    [
      "no authentication where there is some",
      /^kafkaAuthentication: .*requires authentication.*PLAIN.*SCRAM-SHA-512/,
      () => refusal(at("SASL_TLS"), trusting(world.authority.certificate)),
    ],
    [
      "no authentication where there is some, in plaintext",
      /^kafkaAuthentication: .*requires authentication/,
      () => refusal(at("SASL_PLAINTEXT")),
    ],
    [
      "a mechanism that is not enabled",
      /^kafkaAuthentication: .*mechanism PLAIN; it offers SCRAM-SHA-512\./,
      () => refusal(at("ONLY_SCRAM"), world.plain()),
    ],
    [
      "a wrong password of PLAIN",
      /^kafkaAuthentication: .*refused the username or password.*SASL PLAIN/,
      () => refusal(at("SASL_TLS"), login("PLAIN", "plain-user")),
    ],
    [
      "a wrong password of SCRAM-SHA-256",
      /^kafkaAuthentication: .*refused the username or password.*SCRAM-SHA-256/,
      () => refusal(at("SASL_TLS"), login("SCRAM-SHA-256", "scram-user")),
    ],
    [
      "an unknown user of SCRAM-SHA-512",
      /^kafkaAuthentication: .*refused the username or password.*SCRAM-SHA-512/,
      () => refusal(at("SASL_TLS"), login("SCRAM-SHA-512", "nobody")),
    ],
    [
      "a token that is not the issuer's",
      /^kafkaAuthentication: .*refused the token; check its issuer.*OAUTHBEARER/,
      async () => refusal(at("SASL_TLS"), world.security(bearer("eyJhbGciOiJub25lIn0.e30."))),
    ],
    [
      "an expired token",
      /^kafkaAuthentication: .*lifetime/,
      async () => refusal(at("SASL_TLS"), await world.bearer(-120)),
    ],
    [
      "a certificate of an authority that is not trusted",
      /^kafkaTls: .*not signed by a trusted authority.*SERVER_ROOT_CA_CERTIFICATE/,
      async () =>
        refusal(at("SASL_TLS"), trusting((await createTestAuthority()).certificate, good)),
    ],
    [
      "a private authority, and only the system's trusted",
      /^kafkaTls: .*not signed by a trusted authority/,
      () => refusal(at("SASL_TLS"), trusting(null, good)),
    ],
    [
      "an expired certificate",
      /^kafkaTls: .*has expired; renew it/,
      () => refusal(at("EXPIRED"), world.plain()),
    ],
    [
      "a certificate for another name",
      /^kafkaTls: .*for another name/,
      () => refusal(at("WRONG_NAME"), world.plain()),
    ],
    [
      "no client certificate where one is required",
      /^kafkaTls: .*client certificate.*(CLIENT_CERTIFICATE_TLS_AUTH|give one if there is none)/,
      () => refusal(at("MUTUAL_TLS"), trusting(world.authority.certificate)),
    ],
    [
      "a client certificate of a foreign authority",
      /^kafkaTls: .*refuses the client certificate/,
      async () => {
        const foreign = await createTestAuthority("Foreign authority");
        return refusal(at("MUTUAL_TLS"), world.mutualTls(await foreign.issue(["tls-user"])));
      },
    ],
    [
      "a client certificate and a key that don't belong together",
      /^secretMalformed: /,
      async () => {
        const { privateKey } = await world.authority.issue(["tls-user"]);
        const { certificate } = world.clientCertificate;
        return refusal(at("MUTUAL_TLS"), world.mutualTls({ certificate, privateKey }));
      },
    ],
    [
      "no ACL on the topic, whether or not it exists",
      /^kafkaAuthorization: .*allow it Read on the topic.*"secret-topic"/,
      () => refusal(at("SASL_TLS"), world.plain(), "secret-topic"),
    ],
  ])("F18, F19: %s", async (_what, said, ask) => {
    expect(await ask()).toMatch(said);
  });

  it("F18: a topic that does not exist, and no ACL on the group", async () => {
    const names = await world.topic();
    const missing = { topic: `${names.topic}-missing`, groupId: names.groupId };
    await world.acls.allow(world.rules("plain-user", missing)[0]);
    await expect
      .poll(() => refusal(at("SASL_TLS"), world.plain(), missing.topic))
      .toMatch(/^kafkaTopicMissing: .*does not exist.*-missing"/);
    await world.acls.allow(world.rules("plain-user", names)[0]);
    const probe = world.source("SASL_TLS", world.plain(), names);
    await probe.until("the group is missed", () => probe.problem?.code === "kafkaAuthorization");
    expect(probe.problem?.message).toMatch(/allow it Read on the consumer group/);
    expect(probe.problem?.message).toContain(names.groupId);
  });

  it("F18: a group is not removed without the ACL Delete, which is named", async () => {
    const names = await world.topic();
    await world.acls.allow(...world.rules("plain-user", names));
    const security = world.plain();
    const probe = world.source("SASL_TLS", security, names);
    await probe.untilHolds(1);
    await probe.commit(probe.assignment(0), 0n);
    await probe.source.close();
    const admin = world.adminBy("SASL_TLS", security);
    await expect(admin.deleteGroup(names.groupId)).rejects.toMatchObject({
      code: "kafkaAuthorization",
      message: expect.stringContaining("Delete on the consumer group"),
    });
    const [, ofGroup] = world.rules("plain-user", names);
    await world.acls.allow({ ...ofGroup, operation: "Delete" });
    await expect.poll(() => admin.deleteGroup(names.groupId)).toBe(true);
  });

  it("of several bootstrap servers the most telling failure is shown", async () => {
    const servers = ["127.0.0.1:1", at("SASL_TLS"), "no-such-host.invalid:9092"];
    const admin = world.adminAt(servers, login("PLAIN", "plain-user"));
    await expect(admin.describeTopic("any")).rejects.toMatchObject({ code: "kafkaAuthentication" });
  });

  it("I-21: no secret is in anything that was logged or reported", () => {
    expect(world.said.length).toBeGreaterThan(20);
    expect(world.said.join("\n")).not.toContain(CANARY);
  });
});
