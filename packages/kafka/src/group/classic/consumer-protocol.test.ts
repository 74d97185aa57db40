import fc from "fast-check";
import { describe, expect, it } from "vitest";
import {
  decodeAssignment,
  decodeSubscription,
  encodeAssignment,
  encodeSubscription,
  stickyUserData,
} from "./consumer-protocol.ts";

const lists = fc.array(
  fc.record({ topic: fc.string({ maxLength: 20 }), partitions: fc.array(fc.nat(1_000)) }),
);
const userData = fc.option(fc.uint8Array().map((bytes) => Buffer.from(bytes)));

describe("what members of a classic group tell each other", () => {
  it("is written as Java writes it", () => {
    // kafka-clients 4.3, ConsumerProtocol.serializeSubscription and serializeAssignment.
    const subscription = encodeSubscription({
      topics: ["t"],
      owned: [{ topic: "t", partitions: [0, 2] }],
      generation: 7,
      rack: "r",
      userData: stickyUserData(7),
    });
    expect(subscription.toString("hex")).toBe(
      [
        ["0003", "00000001", "000174", "00000004", "00000007"],
        ["00000001", "000174", "00000002", "00000000", "00000002", "00000007", "000172"],
      ]
        .flat()
        .join(""),
    );
    const partitions = [{ topic: "t", partitions: [1] }];
    expect(encodeAssignment({ partitions, userData: null }).toString("hex")).toBe(
      ["0003", "00000001", "000174", "00000001", "00000001", "ffffffff"].join(""),
    );
  });

  it("is read as it was written", () => {
    fc.assert(
      fc.property(
        fc.record({
          topics: fc.array(fc.string({ maxLength: 20 })),
          owned: lists,
          generation: fc.nat(),
          rack: fc.option(fc.string()),
          userData,
        }),
        (subscription) => {
          expect(decodeSubscription(encodeSubscription(subscription))).toEqual(subscription);
        },
      ),
    );
    fc.assert(
      fc.property(lists, userData, (partitions, data) => {
        const assignment = { partitions, userData: data };
        expect(decodeAssignment(encodeAssignment(assignment))).toEqual(assignment);
      }),
    );
  });

  it("is read from older and newer clients: what they don't say is nothing, what they say more is left", () => {
    const newest = encodeSubscription({
      topics: ["t"],
      owned: [{ topic: "t", partitions: [3] }],
      generation: 9,
      rack: "r",
      userData: stickyUserData(8),
    });
    const of = (version: number, length = newest.length) => {
      const bytes = Buffer.concat([newest.subarray(0, length), Buffer.from("more")]);
      bytes.writeInt16BE(version, 0);
      return decodeSubscription(bytes);
    };
    const upToUserData = 2 + 4 + 3 + 8;
    expect(of(0, upToUserData)).toEqual({
      topics: ["t"],
      owned: [],
      generation: 8,
      rack: null,
      userData: stickyUserData(8),
    });
    const owned = [{ topic: "t", partitions: [3] }];
    expect(of(1, upToUserData + 15)).toMatchObject({ owned, generation: 8, rack: null });
    expect(of(2, upToUserData + 19)).toMatchObject({ owned, generation: 9, rack: null });
    expect(of(4)).toMatchObject({ owned, generation: 9, rack: "r" });
  });

  it("F11: bytes of strangers are read or refused, and take no memory that they don't have", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        decodeSubscription(Buffer.from(bytes));
        decodeAssignment(Buffer.from(bytes));
      }),
    );
    expect(decodeSubscription(Buffer.from("00037fffffff", "hex"))).toBeNull();
    expect(decodeAssignment(Buffer.from("0001000000017fff", "hex"))).toBeNull();
  });

  it("an assignment of no bytes is an empty one", () => {
    expect(decodeAssignment(Buffer.alloc(0))).toEqual({ partitions: [], userData: null });
  });
});
