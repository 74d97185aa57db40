import type { RecordSourceDriver } from "@penstock/core";
import { createRecordSourceDriver } from "@penstock/kafka";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { CLOCK, GroupWorld, SILENT } from "../../record-source/group-world.ts";
import { AnswerDropper } from "./answer-dropper.ts";

const PROXY_HOST = "127.0.0.2";

describe("a network that loses answers", () => {
  let world: GroupWorld;
  let proxy: AnswerDropper;
  let proxied: RecordSourceDriver;
  beforeAll(async () => {
    world = new GroupWorld(inject("KAFKA"));
    const port = Number(world.bootstrapServers.split(":")[1]);
    proxy = new AnswerDropper(port);
    await proxy.listen(PROXY_HOST, port);
    proxied = createRecordSourceDriver({
      clock: CLOCK,
      log: SILENT,
      clientId: "proxied",
      requestTimeoutMs: 2_000,
      addressGuard: async () => ({ address: PROXY_HOST, family: 4 }),
    });
  });
  afterEach(() => world.endProbes());
  afterAll(async () => {
    await world.close();
    await proxied.close();
    await proxy.close();
  });

  it("F35: the target that it carried is told again, and the hand-over happens", async () => {
    const { topic, groupId } = await world.topic(4);
    const first = world.open({ topic, groupId }, proxied);
    await first.untilHolds(4);
    const kept = [...first.held.values()];
    proxy.toDrop = 1;
    const second = world.open({ topic, groupId });
    await second.untilHolds(2);
    expect(proxy.dropped).toBe(1);
    expect(first.partitions).toHaveLength(2);
    expect(first.of("lost")).toEqual([]);
    // The same assignments, with the epochs of before.
    for (const assignment of first.held.values()) expect(kept).toContain(assignment);
  });

  it("F07: half-open connections end in a request timeout and new ones; nothing is lost within the session", async () => {
    const { topic, groupId } = await world.topic(2);
    const probe = world.open({ topic, groupId }, proxied);
    await probe.untilHolds(2);
    const held = [...probe.held.values()];
    expect(await probe.commit(probe.assignment(0), 2n)).toBe("committed");
    proxy.freeze();
    expect(await probe.commit(probe.assignment(0), 3n)).toBe("unknown");
    await expect
      .poll(() => probe.commit(probe.assignment(0), 3n), { timeout: 10_000 })
      .toBe("committed");
    await probe.until("it dispatches", () => probe.source.mayDispatch());
    expect([...probe.held.values()]).toEqual(held);
    expect(probe.of("lost")).toEqual([]);
  });

  it("F35: a join whose answer is lost ends in one membership with everything assigned", async () => {
    const { topic, groupId } = await world.topic(4);
    const before = proxy.dropped;
    proxy.toDrop = 1;
    const probe = world.open({ topic, groupId }, proxied);
    await probe.untilHolds(4);
    expect(proxy.dropped).toBe(before + 1);
    expect((await world.admin.describeGroup(groupId)).members).toHaveLength(1);
    expect(await probe.commit(probe.assignment(0), 1n)).toBe("committed");
  });
});
