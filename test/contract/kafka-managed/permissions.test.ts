/**
 * What a principal must be allowed for each thing that Penstock does (the table of docs/operating/brokers.md), by the brokers' own authorizer. That a mapping
 * runs from end to end with Read on topic and group alone is in kafka-security/whole-service.test.ts.
 */
import type { SourceSecurity } from "@penstock/core";
import type { AclRule, KafkaAdmin } from "@penstock/kafka";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { SecuredWorld } from "../kafka-security/secured-world.ts";

type Names = Awaited<ReturnType<SecuredWorld["topic"]>>;
type Right = `${AclRule["operation"]} ${AclRule["resource"]}`;

let world: SecuredWorld;
beforeAll(async () => {
  world = await SecuredWorld.start();
}, 120_000);
afterEach(() => world.endClients());
afterAll(() => world.stop());

/** A topic, a group, and a principal who may do exactly this. */
async function allowed(...rights: Right[]): Promise<Names & { security: SourceSecurity }> {
  const names = await world.topic();
  const rules = rights.map((right): AclRule => {
    const [operation, resource] = right.split(" ") as [AclRule["operation"], AclRule["resource"]];
    const name = resource === "topic" ? names.topic : names.groupId;
    return { principal: "User:plain-user", operation, resource, name };
  });
  if (rules.length > 0) await world.acls.allow(...rules);
  return { ...names, security: world.plain() };
}

type Feature = (admin: KafkaAdmin, names: Names) => Promise<unknown>;

const deletesGroup: Feature = (admin, { groupId }) => admin.deleteGroup(groupId);

/** Feature and the rights it needs: with them it works; without any one of them it is refused, and the refusal names it. */
const FEATURES: [string, Feature, Right[]][] = [
  ["looking for a topic", (admin, { topic }) => admin.describeTopic(topic), ["Describe topic"]],
  [
    "a start position: the first, the last, by time",
    async (admin, { topic }) => {
      await admin.listOffsets(topic, "earliest");
      await admin.listOffsets(topic, "latest");
      await admin.listOffsets(topic, { timestampMs: 1 });
    },
    ["Describe topic"],
  ],
  [
    "lag: what is committed",
    (admin, { groupId, topic }) => admin.committedOffsets(groupId, topic),
    ["Describe topic", "Describe group"],
  ],
  [
    "the members of a group",
    (admin, { groupId }) => admin.describeGroup(groupId),
    ["Describe group"],
  ],
  [
    "the newest records",
    async (admin, { topic }) => expect(await admin.newestRecords(topic, 1)).toHaveLength(1),
    ["Read topic"],
  ],
  [
    "removing a dead member",
    (admin, { groupId }) => admin.removeMember(groupId, "gone"),
    ["Read group"],
  ],
  ["deleting the group", deletesGroup, ["Delete group"]],
];

describe("rights", () => {
  it.each(FEATURES)("%s", async (_what, feature, rights) => {
    const enough = await allowed(...rights);
    await world.produce(enough.topic, 1);
    await feature(world.adminBy("SASL_TLS", enough.security), enough);
    for (const missing of rights) {
      const less = await allowed(...rights.filter((right) => right !== missing));
      await world.produce(less.topic, 1);
      const refused = feature(world.adminBy("SASL_TLS", less.security), less);
      await expect(refused, missing).rejects.toMatchObject({ code: "kafkaAuthorization" });
      const of = missing.endsWith("topic") ? `topic "${less.topic}"` : `group "${less.groupId}"`;
      await expect(refused).rejects.toThrow(of);
    }
  });

  it("Read on topic and group is all that reading and committing needs; no right on the cluster, none to describe settings", async () => {
    const { security, ...names } = await allowed("Read topic", "Read group");
    const probe = world.source("SASL_TLS", security, names);
    await probe.untilHolds(1);
    await world.produce(names.topic, 10);
    await probe.until("10 came", () => probe.offsetsOf(0).length === 10);
    expect(await probe.commit(probe.assignment(0), 10n)).toBe("committed");
    expect(probe.of("problem")).toEqual([]);
    // The session's real length is unknown, which stops nobody: the group is described and its members may be removed all the same.
    const admin = world.adminBy("SASL_TLS", security);
    expect((await admin.describeGroup(names.groupId)).members).toHaveLength(1);
    await expect(deletesGroup(admin, names)).rejects.toThrow("Delete on the consumer group");
  });

  it.each<[string, Right[], string]>([
    ["Describe on the topic alone", ["Describe topic", "Read group"], "Read on the topic"],
    ["Describe on the group alone", ["Read topic", "Describe group"], "Read on the consumer group"],
    ["nothing on the topic", ["Read group"], "Read on the topic"],
  ])("with %s records don't come, and it is said what is missing", async (_, rights, cure) => {
    const { security, ...names } = await allowed(...rights);
    await world.produce(names.topic, 1);
    const probe = world.source("SASL_TLS", security, names);
    await probe.until("it is refused", () => probe.problem?.code === "kafkaAuthorization");
    expect(probe.problem?.message).toContain(`allow it ${cure}`);
    expect(probe.offsetsOf(0)).toEqual([]);
  });
});
