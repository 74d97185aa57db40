import { createProducer } from "@penstock/kafka";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import {
  offsetsOf,
  PLAIN_PASSWORD,
  SCRAM_PASSWORD,
  SecuredWorld,
  type User,
} from "./secured-world.ts";
import { password, TestSecurity } from "./test-security.ts";

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
