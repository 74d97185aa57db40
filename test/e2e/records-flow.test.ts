import { createTestDatabase } from "@penstock/local";
import { World } from "@penstock/testkit";
import { afterEach, describe, expect, inject, it } from "vitest";

let world: World | null = null;

afterEach(async (context) => {
  await world?.stop({ isForced: context.task.result?.state === "fail" });
  world = null;
});

async function start(options: Partial<Parameters<typeof World.start>[0]> = {}): Promise<World> {
  world = await World.start({
    kafka: inject("KAFKA"),
    databaseUrl: await createTestDatabase(inject("POSTGRES")),
    ...options,
  });
  return world;
}

describe("records flow", () => {
  it("I-1, I-2, I-3, I-6, I-7: from a topic to a function, in order, once when nothing fails", async () => {
    const world = await start({ partitions: 3 });
    await world.writer.sendKeyed(world.topic, 3000, 3);
    await world.drain();
    expect(world.function.deliveredCount()).toBe(3000);
    world.check();
  });

  it("I-6: a clean stop and a new start deliver nothing twice", async () => {
    const world = await start({ partitions: 3 });
    await world.writer.sendKeyed(world.topic, 1000, 3);
    await world.drain();
    expect(await world.pollers[0]?.stop()).toBe(0);
    await world.writer.sendKeyed(world.topic, 1000, 3);
    await world.addPoller();
    await world.drain();
    expect(world.function.deliveredCount()).toBe(2000);
    world.check();
  });

  it("I-1, I-6: a killed poller is replaced, and only what was in flight comes twice", async () => {
    const world = await start({ partitions: 4, pollers: 2, mapping: { minimumPollers: 2 } });
    await world.writer.sendKeyed(world.topic, 4000, 4);
    await world.pollers[0]?.kill();
    await world.writer.sendKeyed(world.topic, 4000, 4);
    await world.drain();
    world.check();
  });
});
