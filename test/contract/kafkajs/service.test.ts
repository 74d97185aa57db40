import { createClient } from "@connectrpc/connect";
import { createTestDatabase } from "@penstock/local";
import { poller } from "@penstock/proto";
import { createRpcTransport } from "@penstock/runtime";
import { World } from "@penstock/testkit";
import { afterEach, describe, expect, inject, it } from "vitest";

let world: World | null = null;

afterEach(async (context) => {
  await world?.stop({ isForced: context.task.result?.state === "fail" });
  world = null;
});

describe("the whole service over kafkajs", () => {
  it("I-1, I-2, I-3, I-5, I-6, F31: records flow in order, and a killed poller's are adopted", async () => {
    world = await World.start({
      kafka: inject("KAFKA"),
      databaseUrl: await createTestDatabase(inject("POSTGRES")),
      env: { PENSTOCK_KAFKA_DRIVER: "kafkajs" },
      partitions: 4,
      pollers: 2,
      mapping: { minimumPollers: 2 },
    });
    const [first] = world.pollers;
    const transport = createRpcTransport({ address: first?.ready.grpc ?? "" });
    const { kafkaDriver } = await createClient(poller.PollerService, transport).describePoller({});
    expect(kafkaDriver).toMatchObject({ name: "kafkajs", rebalancesIncrementally: false });
    await world.writer.sendKeyed(world.topic, 2000, 4);
    await world.drain();
    expect(world.function.deliveredCount()).toBe(2000);
    await world.writer.sendKeyed(world.topic, 2000, 4);
    await first?.kill();
    await world.writer.sendKeyed(world.topic, 2000, 4);
    await world.drain();
    world.check();
  });
});
