/** Three brokers as processes: leaders and coordinators that move while a member reads and commits. */
import { type KafkaVersion, type LocalKafkaCluster, startKafkaCluster } from "@penstock/local";
import { waitUntil } from "@penstock/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";
import { Operator } from "../../record-source/operator.ts";
import type { Reader } from "../../record-source/reader.ts";
import { type BrokerRow, selectedRows, titleOf } from "../rows/broker-row.ts";
import { ClusterMoves } from "./cluster-moves.ts";

const SETUP_MS = 240_000;
const MOVED_MS_MAX = 90_000;
const PARTITIONS = 3;

export function describeCluster(version: KafkaVersion, rows: readonly BrokerRow[]): void {
  let cluster: LocalKafkaCluster;
  let operator: Operator;
  let moves: ClusterMoves;
  beforeAll(async () => {
    // The coordinator's own topic goes on with one replica: brokers are killed one at a time.
    cluster = await startKafkaCluster({ version, internalReplication: { factor: 3, minIsr: 1 } });
    operator = await Operator.connect(cluster.bootstrapServers);
    moves = new ClusterMoves(operator);
  }, SETUP_MS);
  afterAll(async () => {
    await operator?.close();
    await cluster?.stop();
  }, SETUP_MS);

  for (const row of selectedRows(version, rows)) {
    const title = `${titleOf(row)}: three brokers, leaders and coordinators move`;
    describe(title, { timeout: SETUP_MS }, () => {
      let world: GroupWorld;
      /** Brokers that a case has not brought back. */
      const killed: number[] = [];
      const kill = async (nodeId: number): Promise<void> => {
        killed.push(nodeId);
        await cluster.broker(nodeId).kill();
      };
      const bringBack = async (nodeId: number): Promise<void> => {
        killed.splice(killed.indexOf(nodeId), 1);
        await cluster.broker(nodeId).restart();
      };
      beforeAll(() => {
        world = new GroupWorld(
          cluster.bootstrapServers,
          { groupProtocol: row.protocol, requestTimeoutMs: 5_000 },
          row.driver,
        );
      });
      afterEach(async () => {
        await world.endProbes();
        for (const nodeId of killed.splice(0)) await cluster.broker(nodeId).restart();
      });
      afterAll(() => world?.close());

      /** A reader that has read all of a topic whose partitions are led by `leader`. */
      async function reading(replicas: readonly number[]): Promise<Reading> {
        const topic = await moves.topic(PARTITIONS, replicas);
        const groupId = `of-${topic}`;
        await write(topic, 20);
        const reader = world.read({ topic, groupId });
        await reader.probe.untilHolds(PARTITIONS, MOVED_MS_MAX);
        await untilCommitted(topic, groupId);
        return { topic, groupId, reader, held: [...reader.probe.held.values()] };
      }

      async function write(topic: string, each: number): Promise<void> {
        for (let partition = 0; partition < PARTITIONS; partition++)
          await operator.fill(topic, partition, each);
      }

      async function untilCommitted(topic: string, groupId: string): Promise<void> {
        await waitUntil(
          "everything is committed",
          async () => {
            const ends = await world.admin.listOffsets(topic, "latest");
            const committed = await world.admin.committedOffsets(groupId, topic);
            return [...ends].every(([of, { offset }]) => committed.get(of)?.offset === offset);
          },
          MOVED_MS_MAX,
        );
      }

      /** Everything was read, once and in order where the driver keeps its assignments, and under the assignments of before. */
      async function expectKept({ topic, groupId, reader, held }: Reading): Promise<void> {
        await untilCommitted(topic, groupId);
        const ends = await world.admin.listOffsets(topic, "latest");
        const isKept = world.driver.capabilities.rebalancesIncrementally;
        for (const [partition, { offset }] of ends) {
          const read = reader.read.get(partition) ?? [];
          const all = Array.from({ length: Number(offset) }, (_, at) => at);
          expect(isKept ? read : [...new Set(read)].sort((a, b) => a - b)).toEqual(all);
        }
        if (!isKept) return;
        expect([...reader.probe.held.values()]).toEqual(held);
        expect(reader.probe.of("lost")).toEqual([]);
        expect(reader.probe.of("revoking")).toEqual([]);
        expect(reader.answers.fenced).toBe(0);
      }

      it("F02, I-1, I-2, I-3: the leader is killed in the middle of fetching: reading goes on at the next one, where it was", async () => {
        const [leader, next] = await moves.others();
        const now = await reading([leader, next]);
        const writing = write(now.topic, 200);
        await kill(leader);
        await writing;
        await moves.untilLed(now.topic, [next]);
        await write(now.topic, 50);
        await expectKept(now);
        await bringBack(leader);
        await write(now.topic, 50);
        await expectKept(now);
      });

      it("F02, I-1, I-2, I-3: leaders are reassigned, there and back: answers of old leaders move nothing", async () => {
        const [first, second] = await moves.others();
        const now = await reading([first]);
        for (const leader of [second, first]) {
          const writing = write(now.topic, 100);
          await moves.reassign(now.topic, PARTITIONS, [leader]);
          await writing;
          await moves.untilLed(now.topic, [leader]);
          await write(now.topic, 20);
          await expectKept(now);
        }
        // A topic without a leader would disturb the operator's client when its broker is killed.
        await moves.reassign(now.topic, PARTITIONS, [1]);
      });

      it("F03, I-2, I-5: the coordinator moves while commits are made: each is repeated until it is known, under the same assignment", async () => {
        const now = await reading([1]);
        for (let round = 0; round < 2; round++) {
          const coordinator = await moves.coordinator();
          const [next = 0] = [2, 3].filter((one) => one !== coordinator);
          const writing = writeSlowly(now.topic, 20);
          await moves.reassign(moves.offsetsTopic, 1, [next]);
          await writing;
          expect(await moves.coordinator()).toBe(next);
          await write(now.topic, 20);
          await expectKept(now);
        }
        await moves.reassign(moves.offsetsTopic, 1, [2, 3, 1]);
      });

      it("F03, I-2, I-5: the coordinator is killed: within the session nobody loses anything, and what was committed stays", async () => {
        const now = await reading([1]);
        await moves.reassign(moves.offsetsTopic, 1, [2, 3]);
        await moves.untilInSync(moves.offsetsTopic, 2);
        const coordinator = await moves.coordinator();
        const writing = writeSlowly(now.topic, 10);
        await kill(coordinator);
        await writing;
        await expectKept(now);
        await bringBack(coordinator);
        await write(now.topic, 20);
        await expectKept(now);
        expect(now.reader.probe.source.mayDispatch()).toBe(true);
      });

      /** Many small batches, so that commits are made all the while. */
      async function writeSlowly(topic: string, rounds: number): Promise<void> {
        for (let round = 0; round < rounds; round++) await write(topic, 5);
      }
    });
  }
}

interface Reading {
  readonly topic: string;
  readonly groupId: string;
  readonly reader: Reader;
  readonly held: unknown[];
}
