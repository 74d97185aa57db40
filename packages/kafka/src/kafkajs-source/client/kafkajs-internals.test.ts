import { describe, expect, it } from "vitest";
import {
  API_KEYS,
  KafkajsClusterClass,
  requestFamily,
  silentLogger,
  WireEncoderClass,
} from "./kafkajs-internals.ts";

describe("the inside of kafkajs", () => {
  it("has the requests that the driver sends, in the versions that it was written for", () => {
    const versions = (name: string) => requestFamily(name).versions.map(Number);
    expect(Math.max(...versions("Fetch"))).toBe(11);
    expect(Math.min(...versions("Fetch"))).toBe(0);
    for (const name of ["ListOffsets", "OffsetCommit", "JoinGroup", "SyncGroup", "Heartbeat"])
      expect(Math.min(...versions(name)), name).toBe(0);
    expect(Math.min(...versions("OffsetFetch"))).toBe(1);
    expect(versions("LeaveGroup").length).toBeGreaterThan(0);
    expect(API_KEYS).toMatchObject({ Fetch: 1, ListOffsets: 2, OffsetCommit: 8, JoinGroup: 11 });
  });

  it("commits under the generation and member id that it is given (K-1)", async () => {
    const { request } = requestFamily("OffsetCommit").protocol({ version: 5 })({
      groupId: "g",
      groupGenerationId: 77,
      memberId: "member",
      topics: [],
    });
    const { buffer } = await request.encode();
    expect(buffer.toString("hex")).toBe(
      "0001".concat("67", "0000004d", "0006", Buffer.from("member").toString("hex"), "00000000"),
    );
  });

  it("has a cluster with what is called of it, and an encoder that takes bytes", () => {
    const methods = Object.getOwnPropertyNames(KafkajsClusterClass.prototype);
    expect(methods).toEqual(
      expect.arrayContaining([
        "connect",
        "disconnect",
        "refreshMetadata",
        "findBroker",
        "findGroupCoordinator",
      ]),
    );
    expect(new WireEncoderClass().writeBuffer(Buffer.from("ab")).buffer.toString()).toBe("ab");
    expect(silentLogger()).toHaveProperty("namespace");
  });
});
