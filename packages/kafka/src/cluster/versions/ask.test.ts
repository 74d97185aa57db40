import type { Connection } from "@platformatic/kafka";
import { describe, expect, it } from "vitest";
import { ApiRanges, versionsOf } from "../../connection/api-ranges.ts";
import { throttleOf } from "../../connection/throttle.ts";
import { ask, bestVersion, type VersionedApi, type VersionTable } from "./ask.ts";
import { FIND_COORDINATOR, LIST_OFFSETS, METADATA } from "./cluster-apis.ts";
import { OFFSET_COMMIT, OFFSET_FETCH } from "./offset-apis.ts";

interface Answer {
  readonly version: number;
  readonly throttleTimeMs: number;
}

function api(key: number, version: number, throttleTimeMs = 0): VersionedApi<[], Answer> {
  return { key, version, async: async () => ({ version, throttleTimeMs }) };
}

function tableOf(key: number, throttleTimeMs = 0): VersionTable<[], Answer> {
  const versions = [api(key, 5, throttleTimeMs), api(key, 4), api(key, 3)] as const;
  return { name: "Something", since: "2.7", versions: [...versions] };
}

const TABLE = tableOf(3);
const newConnection = () => ({ host: "broker", port: 9092 }) as unknown as Connection;
const offering = (min: number, max: number, key = 3) =>
  versionsOf(new ApiRanges(new Map([[key, { min, max }]])));

describe("ask", () => {
  it("takes the newest version that both have", async () => {
    const connection = newConnection();
    expect((await ask(offering(0, 4), connection, TABLE)).version).toBe(4);
    expect((await ask(offering(4, 9), connection, TABLE)).version).toBe(5);
    expect((await ask(offering(0, 3), connection, TABLE)).version).toBe(3);
  });

  it("says what is missing, since when it is there, and what to do", async () => {
    for (const source of [offering(0, 2), offering(6, 9), offering(0, 9, 4)]) {
      const asked = ask(source, newConnection(), TABLE);
      await expect(asked).rejects.toMatchObject({ code: "kafkaUnsupported" });
      await expect(asked).rejects.toThrow(
        "broker:9092 does not offer Something in a version that Penstock speaks (Kafka 2.7 or later): upgrade the brokers, or choose PENSTOCK_KAFKA_DRIVER=kafkajs.",
      );
    }
  });

  it("waits while the broker doesn't read, and a heartbeat doesn't", async () => {
    const connection = newConnection();
    const told: number[] = [];
    throttleOf(connection).listen((throttleMs) => told.push(throttleMs));
    const heartbeat = 12;
    const source = versionsOf(
      new ApiRanges(new Map([3, heartbeat].map((key) => [key, { min: 0, max: 9 }]))),
    );
    await ask(source, connection, tableOf(3, 150));
    expect(told).toEqual([150]);
    const order: string[] = [];
    await Promise.all([
      ask(source, connection, tableOf(3)).then(() => order.push("look-up")),
      ask(source, connection, tableOf(heartbeat)).then(() => order.push("heartbeat")),
    ]);
    expect(order).toEqual(["heartbeat", "look-up"]);
  });

  it("a cap of a version counts like a broker's own", () => {
    const ranges = new ApiRanges(new Map([[3, { min: 3, max: 9 }]]), { 3: 4 });
    expect(bestVersion(versionsOf(ranges), newConnection(), TABLE)?.version).toBe(4);
    const absent = new ApiRanges(new Map([[3, { min: 3, max: 9 }]]), { 3: -1 });
    expect(bestVersion(versionsOf(absent), newConnection(), TABLE)).toBeNull();
  });
});

describe("tables of versions", () => {
  const TABLES = [METADATA, FIND_COORDINATOR, LIST_OFFSETS, OFFSET_COMMIT, OFFSET_FETCH];

  it.each(TABLES.map((table) => [table.name, table.versions] as const))(
    "%s: one key, newest first, without a gap",
    (_name, versions) => {
      const newest = versions[0].version;
      expect(versions.map(({ version }) => version)).toEqual(
        versions.map((_, index) => newest - index),
      );
      expect(new Set(versions.map(({ key }) => key)).size).toBe(1);
    },
  );
});
