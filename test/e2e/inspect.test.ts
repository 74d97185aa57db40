import { createRecordSourceDriver } from "@penstock/kafka";
import { mapping } from "@penstock/proto";
import { systemClock } from "@penstock/runtime";
import { type Flow, waitUntil } from "@penstock/testkit";
import { describe, expect, inject, it } from "vitest";
import { sharedWorld } from "../shared-world.ts";

const { PartitionWait } = mapping;
const shared = sharedWorld();
const silent = { debug() {}, info() {}, warn() {}, error() {} };

const explain = (flow: Flow) =>
  flow.world.mappings.explainEventSourceMapping({ uuid: flow.mappingId });

/** Waits until the explanation satisfies `isRight`, and gives it. */
async function explained(
  flow: Flow,
  claim: string,
  isRight: (answer: mapping.ExplainEventSourceMappingResponse) => boolean,
): Promise<mapping.ExplainEventSourceMappingResponse> {
  let answer = await explain(flow);
  await waitUntil(
    claim,
    async () => {
      answer = await explain(flow);
      return isRight(answer);
    },
    60_000,
  );
  return answer;
}

describe("ExplainEventSourceMapping", () => {
  it("says of each partition where it is, who has it and what it waits for", async () => {
    await shared.flow({ partitions: 2 }, async (flow) => {
      await flow.send(10);
      await flow.drain();
      const quiet = await explained(
        flow,
        "both partitions wait for records",
        ({ partitions }) =>
          partitions.length === 2 &&
          partitions.every((one) => one.waitingFor === PartitionWait.RECORDS && one.lag === 0n),
      );
      expect(quiet.silentNodes).toEqual([]);
      expect(quiet.eventPollers).toMatchObject([{ index: 0, state: "RUNNING", problem: "" }]);
      expect(quiet.partitions.map(({ nodeId }) => nodeId)).toEqual(
        Array(2).fill(quiet.eventPollers[0]?.nodeId),
      );

      const hold = flow.function.holdAll();
      await flow.send(2);
      await hold.reached(1);
      await explained(flow, "a call is under way", ({ partitions }) =>
        partitions.some((one) => one.waitingFor === PartitionWait.FUNCTION),
      );
      hold.release();
      await flow.drain();
    });
  });

  it("says that the function fails, how often and with what", async () => {
    await shared.flow({}, async (flow) => {
      flow.function.answer = () => ({ status: 500 });
      await flow.send(1);
      const { partitions } = await explained(flow, "it waits for a retry", ({ partitions }) =>
        partitions.some((one) => one.waitingFor === PartitionWait.RETRY && one.failedAttempts > 0),
      );
      expect(partitions[0]?.explanation).toMatch(/failed attempt.*500/);
      flow.function.answer = () => ({ status: 200 });
      await flow.drain();
    });
  });

  it("F36: names the member that isn't Penstock's and holds a partition", async () => {
    await shared.flow({ partitions: 2 }, async (flow) => {
      await flow.send(2);
      await flow.drain();
      const driver = createRecordSourceDriver({
        clock: systemClock,
        log: silent,
        clientId: "somebody-else",
      });
      const source = driver.open(
        {
          bootstrapServers: [inject("KAFKA")],
          topic: flow.topic,
          groupId: flow.mappingId,
          drainLimitMs: 1_000,
          fetchBytesMax: 1 << 20,
          fetchPartitionBytesMax: 1 << 20,
          inflatedBytesMax: 1 << 20,
          countMemory() {},
        },
        {
          adopted() {},
          records() {},
          logEnds() {},
          responseEnd() {},
          revoking: (assignment) => source.release(assignment),
          lost() {},
          outOfRange() {},
          undecodable() {},
          problem() {},
          membership() {},
        },
      );
      const { partitions } = await explained(flow, "a partition is a stranger's", (answer) =>
        answer.partitions.some(({ foreignMember }) => foreignMember !== ""),
      );
      const foreign = partitions.find(({ foreignMember }) => foreignMember !== "");
      expect(foreign?.foreignMember).toContain("somebody-else");
      expect(foreign).toMatchObject({ nodeId: "", waitingFor: PartitionWait.OWNER });
      await source.close();
      await driver.close();
    });
  });

  it("refuses a mapping that is not there", async () => {
    const uuid = crypto.randomUUID();
    await expect(shared.world.mappings.explainEventSourceMapping({ uuid })).rejects.toThrow(
      /does not exist/,
    );
  });
});

describe("TestFilter", () => {
  it("tries a mapping's patterns on the newest records of its topic, without touching its group", async () => {
    const patterns = ['{"value":{"amount":[{"numeric":[">",100]}]}}'];
    await shared.flow({ mapping: { filters: patterns } }, async (flow) => {
      await flow.sendMessages([50, 150].map((amount) => ({ value: JSON.stringify({ amount }) })));
      const { verdicts } = await flow.world.mappings.testFilter({ uuid: flow.mappingId });
      expect(verdicts).toMatchObject([
        {
          offset: 0n,
          matches: false,
          reasons: ['value.amount: 50 does not satisfy [{"numeric":[">",100]}]'],
        },
        { offset: 1n, matches: true, matchingFilter: 0, reasons: ["matches"] },
      ]);
      await flow.delivered(1);
    });
  });

  it("tries patterns on samples, and refuses bad ones in AWS's words", async () => {
    const { mappings } = shared.world;
    const sample = { value: Buffer.from("{}"), topic: "t" };
    const filters = (pattern: string) => ({ filterCriteria: { filters: [{ pattern }] } });
    const { verdicts } = await mappings.testFilter({
      ...filters('{"topic":["t"]}'),
      records: [sample, { ...sample, topic: "u" }],
    });
    expect(verdicts.map(({ matches }) => matches)).toEqual([true, false]);
    await expect(mappings.testFilter({ ...filters("{"), records: [sample] })).rejects.toThrow(
      /Invalid filter pattern definition/,
    );
    await expect(mappings.testFilter(filters('{"topic":["t"]}'))).rejects.toThrow(/records/);
    const many = Array.from({ length: 101 }, () => sample);
    await expect(
      mappings.testFilter({ ...filters('{"topic":["t"]}'), records: many }),
    ).rejects.toThrow(/at most 100/);
  });
});

describe("ValidateEventSourceMapping", () => {
  const request = (flow: Flow, more: object = {}) => ({
    functionName: flow.name,
    selfManagedEventSource: { endpoints: { kafkaBootstrapServers: [inject("KAFKA")] } },
    topics: [flow.topic],
    ...more,
  });

  it("says everything that is wrong with the values, and creates nothing", async () => {
    await shared.flow({ mapping: null }, async (flow) => {
      const { mappings } = flow.world;
      const { problems } = await mappings.validateEventSourceMapping({
        create: request(flow, { batchSize: 0, maximumRetryAttempts: -2 }),
      });
      expect(problems.map(({ field }) => field).sort()).toEqual([
        "batch_size",
        "maximum_retry_attempts",
      ]);
      const clean = await mappings.validateEventSourceMapping({ create: request(flow) });
      expect(clean.problems).toEqual([]);
      const { eventSourceMappings } = await mappings.listEventSourceMappings({
        functionName: flow.name,
      });
      expect(eventSourceMappings).toEqual([]);
    });
  });

  it("says what a create would collide with, in the words of the create", async () => {
    await shared.flow({}, async (flow) => {
      const { problems } = await flow.world.mappings.validateEventSourceMapping({
        create: request(flow),
      });
      expect(problems).toMatchObject([{ code: "conflict" }]);
      expect(problems[0]?.message).toContain(flow.mappingId);
    });
  });

  it("reaches the brokers when asked: topic, partitions, members and offsets of the group", async () => {
    await shared.flow({ partitions: 3 }, async (flow) => {
      const { mappings } = flow.world;
      await flow.send(3);
      await flow.drain();
      const { problems, source } = await mappings.validateEventSourceMapping({
        update: { uuid: flow.mappingId, batchSize: 7 },
        reachBrokers: true,
      });
      expect(problems).toEqual([]);
      expect(source).toMatchObject({
        partitions: 3,
        foreignMembers: [],
        hasCommittedOffsets: true,
      });
      const missing = await mappings.validateEventSourceMapping({
        create: request(flow, { topics: [`${flow.topic}-not`] }),
        reachBrokers: true,
      });
      expect(missing.problems).toMatchObject([{ field: "topics", code: "kafkaTopicMissing" }]);
    });
  });

  it("refuses neither and both, and an update of what is not there", async () => {
    const { mappings } = shared.world;
    await expect(mappings.validateEventSourceMapping({})).rejects.toThrow(/either/);
    const update = { uuid: crypto.randomUUID(), batchSize: 1 };
    await expect(mappings.validateEventSourceMapping({ update })).rejects.toThrow(/does not exist/);
  });
});
