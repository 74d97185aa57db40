import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { RecordSourceDriver } from "@penstock/core";
import { createRecordSourceDriver, type GroupProtocol } from "@penstock/kafka";
import { type LocalKafka, startKafka } from "@penstock/local";
import { afterAll, afterEach, beforeAll, describe, expect, it } from "vitest";
import { CLOCK, type GroupWorld, SILENT } from "../../record-source/group-world.ts";
import { classicWorld } from "./classic-world.ts";

/** A broker whose groups stay what they are, with the consumer protocol or without. */
describe.each([
  ["group.coordinator.rebalance.protocols", "classic"],
  ["group.consumer.migration.policy", "disabled"],
])("the choice of a group protocol, %s=%s", (name, value) => {
  const dataDir = mkdtempSync(join(tmpdir(), "penstock-classic-"));
  const isOffered = value !== "classic";
  let kafka: LocalKafka;
  let world: GroupWorld;
  const drivers = new Map<GroupProtocol, RecordSourceDriver>();
  beforeAll(async () => {
    kafka = await startKafka({ dataDir, extraProperties: { [name]: value } });
    world = classicWorld(kafka.bootstrapServers);
    for (const groupProtocol of ["auto", "consumer"] as const)
      drivers.set(
        groupProtocol,
        createRecordSourceDriver({
          ...{ clock: CLOCK, log: SILENT, clientId: "penstock-test", groupProtocol },
        }),
      );
  });
  afterEach(() => world.endProbes());
  afterAll(async () => {
    for (const driver of drivers.values()) await driver.close();
    await world.close();
    await kafka.stop();
    rmSync(dataDir, { recursive: true, force: true });
  });

  it("auto joins a classic group that lives, shares it and goes on with it alone", async () => {
    const { topic, groupId } = await world.topic(4);
    const classic = world.open({ topic, groupId });
    await classic.untilHolds(4);
    const auto = world.open({ topic, groupId }, drivers.get("auto"));
    await auto.untilHolds(2);
    await classic.untilHolds(2);
    await auto.until("all is well", () => auto.problem === null);
    expect(auto.source.memberId).toMatch(/^penstock-test-/);
    expect(await auto.commit(auto.assignment(auto.partitions[0] ?? -1), 3n)).toBe("committed");
    await classic.source.close();
    await auto.untilHolds(4);
    expect(auto.of("lost")).toEqual([]);
  });

  it("auto makes a group of the best protocol that there is, and finds back into it", async () => {
    const { topic, groupId } = await world.topic(2);
    const probe = world.open({ topic, groupId }, drivers.get("auto"));
    await probe.untilHolds(2);
    const { members } = await world.admin.describeGroup(groupId);
    expect(members[0]?.memberEpoch === -1).toBe(!isOffered);
    const { memberId } = probe.source;
    const old = probe.assignment(0);
    expect(await world.admin.removeMember(groupId, memberId)).toBe(true);
    await probe.until("it noticed", () => probe.of("lost").length === 2);
    await probe.untilHolds(2);
    expect(await probe.commit(old, 1n)).toBe("fenced");
    expect(await probe.commit(probe.assignment(0), 1n)).toBe("committed");
  });

  it("consumer where it can't be is a problem that says so", async () => {
    const { topic, groupId } = await world.topic(1);
    const classic = world.open({ topic, groupId });
    await classic.untilHolds(1);
    const probe = world.open({ topic, groupId }, drivers.get("consumer"));
    await probe.until("the problem shows", () => probe.problem !== null);
    if (!isOffered) {
      expect(probe.problem?.code).toBe("kafkaUnsupported");
      expect(probe.problem?.message).toContain("PENSTOCK_KAFKA_GROUP_PROTOCOL");
    } else expect(probe.problem?.message).toContain("classic");
    expect(classic.held.size).toBe(1);
  });
});
