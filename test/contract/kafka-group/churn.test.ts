import { createProducer, type GroupProtocol } from "@penstock/kafka";
import { waitUntil } from "@penstock/testkit";
import { afterAll, beforeAll, describe, expect, inject, it } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";
import type { Probe } from "../../record-source/probe.ts";

const PARTITIONS = 6;
const CHURN_MS = 12_000;
const SEED = Number(process.env.SEED ?? Date.now() % 100_000);

const PROTOCOLS: GroupProtocol[] = ["consumer", "classic"];

describe.concurrent.each(PROTOCOLS)(
  "a group whose members come and go, %s protocol",
  (protocol) => {
    let world: GroupWorld;
    beforeAll(() => {
      world = new GroupWorld(inject("KAFKA"), {
        ...{ groupProtocol: protocol, classicSessionTimeoutMs: 6_000 },
      });
    });
    afterAll(() => world.close());

    // F34, F30 → I-1, I-3, I-5, I-18. Method: members join, leave in order and abort at random while records are produced; each reads, then commits
    // what it has read. What was read by all of them together, cut at the commits, is every record.
    it(`F34: loses nothing and ends with every partition owned once (seed ${SEED})`, async () => {
      const { topic, groupId } = await world.topic(PARTITIONS);
      const producer = await createProducer({
        bootstrapServers: [world.bootstrapServers],
        isIdempotent: true,
      });
      const random = seeded(SEED);
      const seen = new Map<number, Set<bigint>>();
      const committed = new Map<number, bigint>();
      const all: Probe[] = [];
      const marks = { joined: 0, left: 0, aborted: 0, fenced: 0, revoked: 0 };

      const join = () => {
        marks.joined++;
        const probe = world.open({ topic, groupId, fetches: true, drainLimitMs: 2_000 });
        probe.source.expectChange(5_000);
        all.push(probe);
        return probe;
      };
      const readAndCommit = async (probe: Probe) => {
        for (const assignment of [...probe.held.values()]) {
          const read = probe.of("records").filter((event) => event.assignment === assignment);
          const offsets = read.flatMap((event) => event.offsets);
          const last = offsets.at(-1);
          if (last === undefined) continue;
          const result = await probe.commit(assignment, last + 1n);
          if (result === "fenced") marks.fenced++;
          if (result !== "committed") continue;
          const of = seen.get(assignment.partition) ?? new Set();
          seen.set(assignment.partition, of);
          for (const offset of offsets) if (offset <= last) of.add(offset);
          const before = committed.get(assignment.partition) ?? 0n;
          expect(last + 1n, "I-7: committed offsets never go back").toBeGreaterThanOrEqual(before);
          committed.set(assignment.partition, last + 1n);
        }
      };

      const members = [join()];
      let produced = 0;
      const endAtMs = performance.now() + CHURN_MS;
      while (performance.now() < endAtMs) {
        const records = Array.from({ length: 60 }, (_, index) => ({
          partition: index % PARTITIONS,
          value: `${produced + index}`,
        }));
        await producer.send(topic, records);
        produced += records.length;
        const dice = random();
        if (members.length < 2 || (dice < 0.35 && members.length < 6)) members.push(join());
        else if (dice < 0.55) {
          const [leaver] = members.splice(Math.floor(random() * members.length), 1);
          if (leaver) {
            marks.left++;
            await readAndCommit(leaver);
            void leaver.source.close();
          }
        } else if (dice < 0.65) {
          marks.aborted++;
          members.splice(Math.floor(random() * members.length), 1)[0]?.source.abort();
        }
        await Promise.all(members.map(readAndCommit));
      }
      await producer.close();
      await members[0]?.until(
        "every partition is owned once",
        () =>
          members.reduce((sum, member) => sum + member.held.size, 0) === PARTITIONS &&
          new Set(members.flatMap((member) => member.partitions)).size === PARTITIONS,
      );
      const isDone = () =>
        [...committed.values()].reduce((sum, end) => sum + end, 0n) === BigInt(produced);
      await waitUntil("everything is read and committed", async () => {
        await Promise.all(members.map(readAndCommit));
        return isDone();
      });

      for (let partition = 0; partition < PARTITIONS; partition++) {
        const end = Number(committed.get(partition));
        expect(seen.get(partition)?.size, `partition ${partition}`).toBe(end);
        expect(await world.committed(groupId, topic, partition)).toBe(BigInt(end));
      }
      for (const probe of all) expectOrder(probe);
      marks.revoked = all.flatMap((probe) => probe.of("revoking")).length;
      expect(marks.joined).toBeGreaterThan(3);
      expect(marks.left + marks.aborted).toBeGreaterThan(1);
      expect(marks.revoked).toBeGreaterThan(3);
    }, 120_000);
  },
);

/** Within one assignment offsets are consecutive. */
function expectOrder(probe: Probe): void {
  const lastOf = new Map<object, bigint>();
  for (const { assignment, offsets } of probe.of("records"))
    for (const offset of offsets) {
      const last = lastOf.get(assignment);
      if (last !== undefined) expect(offset).toBe(last + 1n);
      lastOf.set(assignment, offset);
    }
}

function seeded(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
