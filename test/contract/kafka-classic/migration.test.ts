import type { Assignment, RecordSourceDriver } from "@penstock/core";
import { createProducer, createRecordSourceDriver } from "@penstock/kafka";
import { waitUntil } from "@penstock/testkit";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { CLOCK, type GroupWorld, SILENT } from "../../record-source/group-world.ts";
import type { Probe } from "../../record-source/probe.ts";
import { classicWorld } from "./classic-world.ts";

const PARTITIONS = 4;

/** Reads, commits and remembers for several members of one group, as event pollers would. */
class Flow {
  /** By assignment. */
  readonly #lastRead = new Map<Assignment, bigint>();
  readonly #looked = new Map<Probe, number>();
  readonly committed = new Map<number, bigint>();
  readonly members = new Set<Probe>();
  produced = 0;
  fenced = 0;
  #isOver = false;
  readonly #running: Promise<void>[] = [];

  constructor(world: GroupWorld, topic: string) {
    this.#running.push(this.#produce(world, topic), this.#commit());
  }

  async #produce(world: GroupWorld, topic: string): Promise<void> {
    const producer = await createProducer({ bootstrapServers: [world.bootstrapServers] });
    while (!this.#isOver) {
      const records = Array.from({ length: PARTITIONS }, (_, partition) => ({
        ...{ partition, value: String(this.produced) },
      }));
      await producer.send(topic, records);
      this.produced += records.length;
    }
    await producer.close();
  }

  async #commit(): Promise<void> {
    while (!this.#isOver || this.settled() < this.produced) {
      await new Promise((resolve) => setImmediate(resolve));
      await Promise.all([...this.members].map((probe) => this.#commitOf(probe)));
    }
  }

  async #commitOf(probe: Probe): Promise<void> {
    for (const assignment of [...probe.held.values()]) {
      const last = this.lastRead(probe, assignment);
      if (last === undefined || this.committed.get(assignment.partition) === last + 1n) continue;
      const result = await probe.commit(assignment, last + 1n);
      if (result === "fenced") this.fenced++;
      if (result !== "committed") continue;
      const { partition } = assignment;
      expect(last + 1n, "I-7").toBeGreaterThanOrEqual(this.committed.get(partition) ?? 0n);
      this.committed.set(partition, last + 1n);
    }
  }

  lastRead(probe: Probe, assignment: Assignment): bigint | undefined {
    for (let at = this.#looked.get(probe) ?? 0; at < probe.events.length; at++) {
      const event = probe.events[at];
      if (event?.kind === "records")
        this.#lastRead.set(event.assignment, event.offsets.at(-1) ?? -1n);
    }
    this.#looked.set(probe, probe.events.length);
    return this.#lastRead.get(assignment);
  }

  settled(): number {
    return Number([...this.committed.values()].reduce((sum, end) => sum + end, 0n));
  }

  async end(): Promise<void> {
    this.#isOver = true;
    await Promise.all(this.#running);
  }
}

/** Kafka 4.3 takes members of both protocols in one group, and makes it over when the last of one kind leaves (KIP-848, bidirectional by default). */
describe("a group that moves between the protocols", () => {
  let world: GroupWorld;
  const drivers = new Map<string, RecordSourceDriver>();
  beforeAll(() => {
    world = classicWorld(inject("KAFKA"));
    for (const groupProtocol of ["consumer", "auto"] as const)
      drivers.set(
        groupProtocol,
        createRecordSourceDriver({
          ...{ clock: CLOCK, log: SILENT, clientId: "penstock-test", groupProtocol },
        }),
      );
    drivers.set("classic", world.driver);
  });
  afterEach(() => world.endProbes());
  afterAll(async () => {
    for (const driver of drivers.values()) await driver.close();
    await world.close();
  });

  // F37 → I-1, I-3, I-5, I-7, I-18. Method: members of one protocol are replaced one by one by members of the other, and back, while records are
  // produced, read and committed.
  it("F37, F34: from classic to consumer and back, member by member, while records flow: none is lost, none is read twice", async () => {
    const { topic, groupId } = await world.topic(PARTITIONS);
    const flow = new Flow(world, topic);
    const all: Probe[] = [];
    const join = (protocol: string) => {
      const probe = world.open(
        { topic, groupId, fetches: true, releasesAtOnce: false, drainLimitMs: 10_000 },
        drivers.get(protocol),
      );
      probe.source.expectChange(10_000);
      all.push(probe);
      flow.members.add(probe);
      return probe;
    };
    const shared = (members: readonly Probe[]) =>
      waitUntil(`${members.length} share`, () => {
        // What is asked back is given when its last commit is through.
        for (const probe of all)
          for (const { assignment } of probe.of("revoking")) {
            if (probe.held.get(assignment.partition) !== assignment) continue;
            const last = flow.lastRead(probe, assignment);
            const done = flow.committed.get(assignment.partition);
            if (last === undefined || done === last + 1n) probe.release(assignment);
          }
        const held = members.flatMap((probe) => probe.partitions);
        const isOnce = held.length === PARTITIONS && new Set(held).size === PARTITIONS;
        return isOnce && members.every((probe) => probe.held.size > 0);
      });
    const leave = async (probe: Probe, rest: readonly Probe[]) => {
      const left = probe.source.close();
      await shared(rest);
      await left;
      flow.members.delete(probe);
    };
    let members = [join("classic"), join("classic")];
    await shared(members);
    for (const protocol of ["consumer", "classic", "auto"]) {
      for (let replaced = 0; replaced < 2; replaced++) {
        const [oldest, other] = members as [Probe, Probe];
        const next = join(protocol);
        await shared([oldest, other, next]);
        await leave(oldest, [other, next]);
        members = [other, next];
      }
      const { members: described } = await world.admin.describeGroup(groupId);
      expect(described).toHaveLength(2);
      // Classic groups don't tell their generation.
      for (const { memberEpoch } of described)
        expect(memberEpoch >= 0, protocol).toBe(protocol !== "classic");
    }
    await flow.end();
    for (const [partition, end] of flow.committed) {
      const read = all
        .flatMap((probe) => probe.of("records"))
        .filter(({ assignment }) => assignment.partition === partition)
        .sort((a, b) => a.atMs - b.atMs)
        .flatMap(({ offsets }) => offsets);
      expect(read.length, "none is lost, none is read twice").toBe(Number(end));
      expect(read, "I-3").toEqual(read.map((_, index) => BigInt(index)));
      expect(await world.committed(groupId, topic, partition)).toBe(end);
    }
    expect(all.flatMap((probe) => probe.of("lost"))).toEqual([]);
    expect(flow.fenced).toBe(0);
    expect(flow.produced).toBeGreaterThan(100);
  });
});
