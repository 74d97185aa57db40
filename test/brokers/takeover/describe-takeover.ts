/**
 * A group of another client is joined while it runs, shares the partitions, and is taken over when the other leaves, without a stop and
 * without anybody resetting an offset.
 */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type KafkaVersion, type LocalKafka, startKafka } from "@penstock/local";
import { waitUntil } from "@penstock/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";
import { Operator } from "../../record-source/operator.ts";
import type { Reader } from "../../record-source/reader.ts";
import { type BrokerRow, selectedRows, titleOf } from "../rows/broker-row.ts";
import type { ForeignClient, ForeignMember } from "./foreign-member.ts";

const SETUP_MS = 180_000;
const PARTITIONS = 4;
const MOVED_MS_MAX = 60_000;

export function describeTakeover(
  version: KafkaVersion,
  rows: readonly BrokerRow[],
  clients: readonly ForeignClient[],
): void {
  let kafka: LocalKafka;
  let operator: Operator;
  const folder = mkdtempSync(join(tmpdir(), "penstock-takeover-"));
  beforeAll(async () => {
    kafka = await startKafka({ version, dataDir: folder, heapMb: 256 });
    operator = await Operator.connect(kafka.bootstrapServers);
  }, SETUP_MS);
  afterAll(async () => {
    await operator?.close();
    await kafka?.stop();
    rmSync(folder, { recursive: true, force: true });
  }, SETUP_MS);

  for (const row of selectedRows(version, rows)) {
    const title = `${titleOf(row)}: groups of other clients are joined and taken over`;
    describe(title, { timeout: SETUP_MS }, () => {
      let world: GroupWorld;
      let foreign: ForeignMember | null = null;
      beforeAll(() => {
        world = new GroupWorld(kafka.bootstrapServers, { groupProtocol: row.protocol }, row.driver);
      });
      afterEach(async () => {
        await foreign?.leave().catch(() => {}); // it may have left
        foreign = null;
        await world.endProbes();
      });
      afterAll(() => world?.close());

      // Method: the other reads alone; a reader of ours joins; both read what is written; the other leaves, the rest is ours. What the
      // two were given together is everything; what came twice is what the other had read and not committed.
      it.each(clients)("F36, I-1, I-6: $name", async (client) => {
        const { topic, groupId } = await operator.topic(PARTITIONS);
        const { bootstrapServers } = kafka;
        await write(topic, 25);
        const other = await client.join({ bootstrapServers, topic, groupId, version });
        foreign = other;
        await waitUntil("it has all", () => countOf(other.read) === 100, MOVED_MS_MAX);

        const ours = world.read({ topic, groupId });
        if (client.isCooperative && !world.driver.capabilities.rebalancesIncrementally) {
          await ours.probe.until("it is refused", () => ours.probe.problem !== null);
          expect(ours.probe.problem?.code).toBe("kafkaUnsupported");
          await write(topic, 5);
          await waitUntil("the other goes on", () => countOf(other.read) === 120);
          return;
        }
        await ours.probe.untilHolds(PARTITIONS / 2, MOVED_MS_MAX);
        const [before, beforeOurs] = [countOf(other.read), ours.count];
        await waitUntil(
          "both get records",
          async () => {
            await write(topic, 5);
            return countOf(other.read) > before && ours.count > beforeOurs;
          },
          MOVED_MS_MAX,
        );
        expect(ours.probe.held.size).toBe(PARTITIONS / 2);
        const theirs = missingFrom(ours);

        await other.leave();
        foreign = null;
        await ours.probe.untilHolds(PARTITIONS, MOVED_MS_MAX);
        for (const partition of theirs) {
          const stopped = (other.read.get(partition)?.at(-1) ?? -1) + 1;
          const start = startOf(ours, partition);
          expect(start, "where the other stopped").toBeLessThanOrEqual(stopped);
          expect(stopped - start).toBeLessThanOrEqual(client.repeatsMax);
        }
        await write(topic, 25);
        const ends = await world.admin.listOffsets(topic, "latest");
        await waitUntil(
          "everything is committed by us",
          async () => {
            const committed = await world.admin.committedOffsets(groupId, topic);
            return [...ends].every(([of, { offset }]) => committed.get(of)?.offset === offset);
          },
          MOVED_MS_MAX,
        );
        const repeats = expectAll(ends, [other.read, ours.read]);
        expect(repeats).toBeLessThanOrEqual(client.repeatsMax);
        if (world.driver.capabilities.drainsBeforeRevoke) expect(ours.answers.fenced).toBe(0);
      });
    });
  }

  async function write(topic: string, each: number): Promise<void> {
    for (let partition = 0; partition < PARTITIONS; partition++)
      await operator.fill(topic, partition, each);
  }
}

function countOf(read: ForeignMember["read"]): number {
  return [...read.values()].reduce((sum, offsets) => sum + offsets.length, 0);
}

function missingFrom({ probe }: Reader): number[] {
  return Array.from({ length: PARTITIONS }, (_, index) => index).filter(
    (partition) => !probe.held.has(partition),
  );
}

/** Where our reader began when it got the partition last. */
function startOf({ probe }: Reader, partition: number): number {
  const adopted = probe.of("adopted").findLast((one) => one.assignment.partition === partition);
  return Number(adopted?.start.committed?.offset ?? -1n);
}

/** Every offset was given to somebody; returns how often one was given again. */
function expectAll(
  ends: ReadonlyMap<number, { readonly offset: bigint }>,
  reads: readonly ReadonlyMap<number, readonly number[]>[],
): number {
  let repeats = 0;
  for (const [partition, { offset }] of ends) {
    const all = reads.flatMap((read) => read.get(partition) ?? []);
    const distinct = new Set(all);
    const missing = Array.from({ length: Number(offset) }, (_, at) => at).filter(
      (at) => !distinct.has(at),
    );
    expect(missing, `of partition ${partition}`).toEqual([]);
    repeats += all.length - distinct.size;
  }
  return repeats;
}
