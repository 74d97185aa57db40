import type { RecordSourceDriver } from "@penstock/core";
import { createRecordSourceDriver, type GroupProtocol } from "@penstock/kafka";
import { afterAll, afterEach, beforeAll, describe, expect, inject, it } from "vitest";
import { CLOCK, type GroupWorld, SILENT } from "../../record-source/group-world.ts";
import { classicWorld, SESSION_MS } from "./classic-world.ts";

describe.each<GroupProtocol>(["classic", "consumer"])("static members, %s protocol", (protocol) => {
  let world: GroupWorld;
  let driver: RecordSourceDriver;
  beforeAll(() => {
    world = classicWorld(inject("KAFKA"));
    driver = createRecordSourceDriver({
      ...{ clock: CLOCK, log: SILENT, clientId: "penstock-test", groupProtocol: protocol },
      classicSessionTimeoutMs: SESSION_MS,
    });
  });
  afterEach(() => world.endProbes());
  afterAll(async () => {
    await driver.close();
    await world.close();
  });

  async function two() {
    const { topic, groupId } = await world.topic(4);
    const open = (groupInstanceId: string) =>
      world.open({ topic, groupId, groupInstanceId }, driver);
    const first = open("first");
    const second = open("second");
    await first.untilHolds(2);
    await second.untilHolds(2);
    return { topic, groupId, open, first, second };
  }

  it("a restart within the session moves nothing: who comes back gets what it had, the other hears nothing", async () => {
    const { topic, groupId, open, first, second } = await two();
    const had = first.partitions;
    const events = () => second.of("revoking").length + second.of("adopted").length;
    const before = events();
    expect(await first.commit(first.assignment(had[0] ?? -1), 7n)).toBe("committed");
    await first.source.close(true);
    expect(first.state?.phase).toBe("left");
    const again = open("first");
    await again.untilHolds(2);
    expect(again.partitions).toEqual(had);
    expect(events()).toBe(before);
    expect(second.of("lost")).toEqual([]);
    const assignment = again.assignment(had[0] ?? -1);
    expect(await again.commit(assignment, 8n)).toBe("committed");
    expect(await world.committed(groupId, topic, assignment.partition)).toBe(8n);
    expect(await second.commit(second.assignment(second.partitions[0] ?? -1), 1n)).toBe(
      "committed",
    );
    expect((await world.admin.describeGroup(groupId)).members).toHaveLength(2);
  });

  it("a leave for good is one: the other has everything before the session could have ended", async () => {
    const { first, second } = await two();
    second.source.expectChange(10_000);
    await first.source.close(false);
    await second.untilHolds(4, SESSION_MS - 1_000);
  });

  it("I-5: two of one name don't share it", async () => {
    const { topic, groupId, open, first, second } = await two();
    const old = [...first.held.values()];
    const twin = open("first");
    if (protocol === "consumer") {
      await twin.until("it is refused", () => twin.problem !== null);
      expect(twin.held.size).toBe(0);
      await first.source.close();
      await twin.untilHolds(2);
    } else {
      await first.until("it has lost all", () => first.of("lost").length === 2);
      for (const assignment of old) expect(await first.commit(assignment, 9n)).toBe("fenced");
      // And goes on without a name, so that none of the two can end the other again.
      await first.until("all three have some", () =>
        [first, second, twin].every((probe) => probe.held.size > 0),
      );
    }
    expect(await world.committed(groupId, topic, old[0]?.partition ?? -1)).toBeUndefined();
  });
});
