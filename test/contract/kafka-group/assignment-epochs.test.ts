import type { Assignment } from "@penstock/core";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { KafkaCluster } from "../../../packages/kafka/src/cluster/kafka-cluster.ts";
import { KAFKA } from "../../../packages/kafka/src/cluster/kafka-error.ts";
import { sendOffsetCommit } from "../../../packages/kafka/src/group/offset-wire.ts";
import { CLOCK, GroupWorld, SILENT } from "../../record-source/group-world.ts";

/** Kafka's own word on what we rely on (KIP-1251), past all checks of ours. */
describe("commits under assignment epochs, at the broker", () => {
  let world: GroupWorld;
  let cluster: KafkaCluster;
  beforeAll(() => {
    world = new GroupWorld(inject("KAFKA"));
    cluster = new KafkaCluster({
      bootstrapServers: [world.bootstrapServers],
      clientId: "raw",
      clock: CLOCK,
      log: SILENT,
    });
  });
  afterEach(() => world.endProbes());
  afterAll(async () => {
    cluster.close();
    await world.close();
  });

  async function raw(
    groupId: string,
    memberId: string,
    of: Assignment,
    offset: bigint,
    version: number,
  ) {
    const connection = await cluster.brokerConnection(await cluster.coordinator(groupId), "commit");
    const { epoch, topic, topicId, partition } = of;
    const spoken = Object.create(cluster, {
      apiVersion: { value: () => version },
    }) as KafkaCluster;
    const to = { groupId, memberId, epoch, topic, topicId };
    const codes = await sendOffsetCommit(spoken, connection, to, [
      { partition, offset, metadata: "" },
    ]);
    return codes.get(partition);
  }

  it.each([9, 10])(
    "I-5: OffsetCommit v%i: Kafka refuses the old owner, takes kept partitions under their old epoch",
    async (version) => {
      const { topic, groupId } = await world.topic(2);
      const first = world.open({ topic, groupId });
      await first.untilHolds(2);
      const second = world.open({ topic, groupId });
      await second.untilHolds(1);
      await first.until("the new epoch is known", () => first.held.size === 1);
      const given = first.of("released")[0]?.assignment;
      const kept = first.assignment(first.partitions[0] ?? -1);
      if (!given) throw new Error("one was given away");
      expect(await second.commit(second.assignment(given.partition), 50n)).toBe("committed");

      const { memberId } = first.source;
      expect(await raw(groupId, memberId, given, 7n, version)).toBe(KAFKA.staleMemberEpoch);
      expect(await raw(groupId, memberId, kept, 8n, version)).toBe(KAFKA.none);
      expect(await world.committed(groupId, topic, given.partition)).toBe(50n);
      expect(await world.committed(groupId, topic, kept.partition)).toBe(8n);
      // Under its present epoch Kafka would believe the old owner, which is why no commit ever carries it.
      const present = { ...given, epoch: second.assignment(given.partition).epoch };
      expect(await raw(groupId, memberId, present, 7n, version)).toBe(KAFKA.none);
      expect(await world.committed(groupId, topic, given.partition)).toBe(7n);
    },
  );

  it("F14: by id, an offset for another topic of the same name is refused", async () => {
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    const other = { ...probe.assignment(0), topicId: "3f2b6a53-7d3c-4b4e-9d7e-000000000001" };
    const code = await raw(groupId, probe.source.memberId, other, 7n, 10);
    expect(code).toBe(KAFKA.unknownTopicId);
  });
});
