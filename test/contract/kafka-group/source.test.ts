import { createProducer, type KafkaProducer } from "@penstock/kafka";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { GroupWorld } from "../../record-source/group-world.ts";
import type { Probe } from "../../record-source/probe.ts";

function offsetsOf(probe: Probe, partition: number): bigint[] {
  return probe
    .of("records")
    .filter(({ assignment }) => assignment.partition === partition)
    .flatMap(({ offsets }) => offsets);
}

function upTo(count: number): bigint[] {
  return Array.from({ length: count }, (_, index) => BigInt(index));
}

describe("the record source", () => {
  let world: GroupWorld;
  let producer: KafkaProducer;
  beforeAll(async () => {
    world = new GroupWorld(inject("KAFKA"));
    producer = await createProducer({ bootstrapServers: [world.bootstrapServers] });
  });
  afterEach(() => world.endProbes());
  afterAll(async () => {
    await producer.close();
    await world.close();
  });

  const produce = (topic: string, partition: number, count: number) =>
    producer.send(
      topic,
      Array.from({ length: count }, (_, index) => ({ partition, value: `value ${index}` })),
    );

  it("I-1, I-3: gives every record once and in order, and resumes at the commit", async () => {
    const { topic, groupId } = await world.topic(2);
    await produce(topic, 0, 500);
    const first = world.open({ topic, groupId, fetches: true });
    await first.untilHolds(2);
    expect(first.of("adopted").find((e) => e.assignment.partition === 0)?.start).toEqual({
      committed: null,
      logStart: 0n,
      logEnd: 500n,
      highWatermark: 500n,
    });
    await first.until("500 came", () => offsetsOf(first, 0).length === 500);
    expect(await first.commit(first.assignment(0), 300n)).toBe("committed");
    await first.source.close();

    const second = world.open({ topic, groupId, fetches: true });
    await produce(topic, 0, 100);
    await second.until("the rest came", () => offsetsOf(second, 0).at(-1) === 599n);
    expect(offsetsOf(first, 0)).toEqual(upTo(500));
    expect(offsetsOf(second, 0)).toEqual(upTo(600).slice(300));
  });

  it("I-5: no records come after a partition was asked back, whoever produces", async () => {
    const { topic, groupId } = await world.topic(2);
    const first = world.open({ topic, groupId, fetches: true, releasesAtOnce: false });
    await first.untilHolds(2);
    await produce(topic, 0, 10);
    await produce(topic, 1, 10);
    await first.until("20 came", () => first.of("records").flatMap((e) => e.offsets).length === 20);
    world.open({ topic, groupId, fetches: true });
    await first.until("one is asked back", () => first.of("revoking").length === 1);
    const [revoking] = first.of("revoking");
    if (!revoking) throw new Error("one was asked back");
    const before = first.of("records").length;
    await produce(topic, revoking.assignment.partition, 10);
    const kept = 1 - revoking.assignment.partition;
    await produce(topic, kept, 10);
    await first.until("the kept one goes on", () => offsetsOf(first, kept).length === 20);
    const late = first.of("records").slice(before);
    expect(late.every(({ assignment }) => assignment.partition === kept)).toBe(true);
    first.release(revoking.assignment);
  });

  it("a lane can stop and go on; the ends of its log can be asked for meanwhile", async () => {
    const { topic, groupId } = await world.topic(1);
    const probe = world.open({ topic, groupId, fetches: true });
    await probe.untilHolds(1);
    await produce(topic, 0, 10);
    await probe.until("10 came", () => offsetsOf(probe, 0).length === 10);
    const assignment = probe.assignment(0);
    probe.source.pause(assignment);
    await produce(topic, 0, 10);
    probe.source.refreshEnds([assignment]);
    await probe.until("the end is known", () => probe.of("logEnds").at(-1)?.logEnd === 20n);
    probe.source.resume(assignment);
    await probe.until("20 came", () => offsetsOf(probe, 0).length >= 20);
    expect(offsetsOf(probe, 0)).toEqual(upTo(20));
  });

  it("F12: a position below the log start is told with the ends, and fetching waits for another one", async () => {
    const { topic, groupId } = await world.topic(1);
    await produce(topic, 0, 20);
    await world.admin.deleteRecords(topic, new Map([[0, 15n]]));
    const probe = world.open({ topic, groupId });
    await probe.untilHolds(1);
    expect(probe.of("adopted")[0]?.start.logStart).toBe(15n);
    probe.source.fetch(probe.assignment(0), 3n);
    await probe.until("it is told", () => probe.of("outOfRange").length === 1);
    expect(probe.of("outOfRange")[0]).toMatchObject({ position: 3n, logStart: 15n });
    probe.source.fetch(probe.assignment(0), 15n);
    await probe.until("the rest came", () => offsetsOf(probe, 0).length === 5);
  });

  it("two sources of one topic in one process don't disturb each other", async () => {
    const { topic } = await world.topic(1);
    await produce(topic, 0, 50);
    const [one, two] = ["a", "b"].map((name) =>
      world.open({ topic, groupId: `${name}-${topic}`, fetches: true }),
    ) as [Probe, Probe];
    await one.until("50 came", () => offsetsOf(one, 0).length === 50);
    await two.until("50 came", () => offsetsOf(two, 0).length === 50);
    one.source.abort();
    await produce(topic, 0, 50);
    await two.until("100 came", () => offsetsOf(two, 0).length === 100);
  });
});
