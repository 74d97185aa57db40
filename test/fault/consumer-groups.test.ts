import { countDuplicates, type Flow, waitUntil } from "@penstock/testkit";
import { type Consumer, Kafka, logLevel } from "kafkajs";
import { describe, expect, inject, it } from "vitest";
import { SETUP_MS, sharedWorld } from "../shared-world.ts";
import { asOperator, commitByHand, historyOf, setEnabled } from "./operator-steps.ts";

describe.concurrent("consumer groups", { timeout: SETUP_MS }, () => {
  const shared = sharedWorld();
  const kafka = () => inject("KAFKA");
  const own = { windowMs: 0 };

  // F36 → I-1, I-6. Goal: a mapping that was disabled goes on where it stopped even when Kafka has forgotten its group.
  // Method: delete the group's offsets, later the whole group, each while it is disabled; records come meanwhile.
  it("F36, I-1, I-6: enable resumes where it stopped after the group's offsets, and then the group, were deleted", async () => {
    await shared.flow({ partitions: 2, mapping: own }, async (flow) => {
      const groupId = flow.mappingId;
      await flow.send(40);
      await flow.drain();
      await setEnabled(flow, false);
      await asOperator(kafka(), (admin) =>
        admin.deleteConsumerGroupOffsets({
          groupId,
          topics: [{ name: flow.topic, partitionIndexes: [0, 1] }],
        }),
      );
      await flow.send(40);
      await setEnabled(flow, true);
      await flow.drain();
      expect(countDuplicates(flow.function.deliveries)).toBe(0);
      await waitUntil("it is told", async () => {
        const told = (await historyOf(flow)).filter((one) => one.startsWith("offsetsMoved: "));
        return told.some((one) => one.includes("is gone") && one.includes("where it stopped"));
      });

      await setEnabled(flow, false);
      await shared.world.admin.deleteGroup(groupId);
      await flow.send(40);
      await setEnabled(flow, true);
      await flow.drain();
      // The history can't be checked as a whole: Kafka counts the epochs of a new group from the start.
      expect(flow.function.deliveredCount()).toBe(120);
      expect(countDuplicates(flow.function.deliveries)).toBe(0);
    });
  });

  // F36 → I-7. Goal: offsets that an operator sets are obeyed and told. Method: set them down, then up, while it is disabled.
  it("F36: an operator's offsets are obeyed, down and up, and the mapping's history says so", async () => {
    await shared.flow({ mapping: own }, async (flow) => {
      const groupId = flow.mappingId;
      await flow.send(20);
      await flow.drain();
      await setEnabled(flow, false);
      await commitByHand(kafka(), groupId, flow.topic, 15n);
      await setEnabled(flow, true);
      await flow.delivered(25);
      await flow.drain();
      await setEnabled(flow, false);
      await flow.send(20);
      await commitByHand(kafka(), groupId, flow.topic, 30n);
      await setEnabled(flow, true);
      await flow.drain();
      expect(deliveredOffsets(flow).slice(20)).toEqual([...range(15, 20), ...range(30, 40)]);
      await waitUntil("both are told", async () => {
        const told = (await historyOf(flow)).filter((one) => one.startsWith("offsetsMoved: "));
        return (
          told.some((one) => one.includes("from 20 to 15") && one.includes("read again")) &&
          told.some((one) => one.includes("from 20 to 30") && one.includes("skipped"))
        );
      });
    });
  });

  it("an existing group's offsets win over the starting position", async () => {
    await shared.flow({ mapping: null }, async (flow) => {
      const groupId = `of-${flow.topic}`;
      await flow.send(10);
      await commitByHand(kafka(), groupId, flow.topic, 6n);
      await flow.createMapping({ ...own, consumerGroupId: groupId });
      await flow.drain();
      expect(deliveredOffsets(flow)).toEqual(range(6, 10));
    });
  });

  it("I-17: delete leaves the group alone, deletes it when asked to, and says so when somebody else is in it", async () => {
    const groupId = (flow: Flow) => `of-${flow.topic}`;
    const gone = (flow: Flow) =>
      waitUntil("it is gone", () =>
        flow.get().then(
          () => false,
          () => true,
        ),
      );
    const remove = async (flow: Flow, deleteConsumerGroup: boolean) => {
      const uuid = flow.mappingId;
      await flow.world.mappings.deleteEventSourceMapping({ uuid, deleteConsumerGroup });
      await gone(flow);
    };
    const committed = async (flow: Flow) =>
      (await shared.world.admin.committedOffsets(groupId(flow), flow.topic)).get(0)?.offset;
    await shared.flow({ mapping: null }, async (flow) => {
      const create = async () => {
        await flow.createMapping({ ...own, consumerGroupId: groupId(flow) });
        await flow.send(5);
        await flow.drain();
      };
      await create();
      await remove(flow, false);
      expect(await committed(flow)).toBe(5n);
      await create();
      await remove(flow, true);
      expect(await committed(flow)).toBeUndefined();
      expect((await historyOf(flow)).join("\n")).toMatch(/consumerGroup: .* is deleted/);
      await create();
      const other = await joinClassic(groupId(flow), flow.topic, () => {});
      await waitUntil("it is a member", async () => (await members(flow, groupId(flow))) === 2);
      await remove(flow, true);
      expect((await historyOf(flow)).join("\n")).toMatch(/was not deleted: .*members/);
      await other.disconnect();
    });
  });

  // F36 → I-1. Goal: a live consumer of the classic protocol is replaced without a stop (KIP-848, online migration). Method: kafkajs runs in the group,
  // Penstock joins it, both get records, kafkajs leaves; what the two were given together is everything.
  it("F36, I-1: a live classic consumer is migrated: Penstock joins its group, it leaves, nothing is lost", async () => {
    await shared.flow({ partitions: 4, mapping: null }, async (flow) => {
      const groupId = `of-${flow.topic}`;
      const seen = new Set<string>();
      const classic = await joinClassic(groupId, flow.topic, (record) => seen.add(record));
      await flow.send(100);
      await waitUntil("the classic consumer has all", () => seen.size === 100, 60_000);

      await flow.createMapping({ ...own, consumerGroupId: groupId });
      await waitUntil("both are members", async () => (await members(flow, groupId)) === 2, 60_000);
      const before = seen.size;
      await waitUntil(
        "both get records",
        async () => {
          await flow.send(40);
          return flow.function.deliveredCount() > 0 && seen.size > before;
        },
        60_000,
      );

      await classic.disconnect();
      await flow.send(100);
      await flow.drain(90_000);
      for (const { offsets } of flow.function.deliveries) {
        for (const [partition, all] of offsets)
          for (const one of all) seen.add(`${partition}/${one}`);
      }
      const sent = [...shared.world.writer.sent(flow.topic)].flatMap(([partition, all]) =>
        all.map((one) => `${partition}/${one}`),
      );
      expect(sent.filter((one) => !seen.has(one))).toEqual([]);
    });
  });

  async function members(flow: Flow, groupId: string): Promise<number> {
    const { members } = await flow.world.admin.describeGroup(groupId);
    return members.length;
  }

  /** A consumer as many teams have one: kafkajs, the classic protocol, commits by itself. */
  async function joinClassic(
    groupId: string,
    topic: string,
    take: (record: string) => void,
  ): Promise<Consumer> {
    const client = new Kafka({
      clientId: "classic",
      brokers: [kafka()],
      logLevel: logLevel.NOTHING,
    });
    const consumer = client.consumer({
      groupId,
      sessionTimeout: 8_000,
      heartbeatInterval: 500,
      maxWaitTimeInMs: 200,
    });
    await consumer.connect();
    await consumer.subscribe({ topic, fromBeginning: true });
    await consumer.run({
      autoCommitInterval: 200,
      eachMessage: async ({ partition, message }) =>
        take(`${topic}-${partition}/${message.offset}`),
    });
    return consumer;
  }
});

function deliveredOffsets(flow: Flow): number[] {
  return flow.function.deliveries.flatMap(({ offsets }) => offsets.get(`${flow.topic}-0`) ?? []);
}

function range(from: number, to: number): number[] {
  return Array.from({ length: to - from }, (_, index) => from + index);
}
