import * as library from "@platformatic/kafka";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { NO_TOPIC_ID } from "../../cluster/cluster.ts";
import { writeNamedAnswer } from "../testing/named-fetch-wire.ts";
import { encodeFetchRequest, versionFor } from "./fetch-request.ts";
import { parseFetchResponse } from "./fetch-response.ts";
import { WireFault } from "./wire-reader.ts";

const VERSIONS = [4, 5, 6, 7, 8, 9, 10, 11, 12] as const;
const LIBRARY = {
  4: library.fetchV4,
  5: library.fetchV5,
  6: library.fetchV6,
  7: library.fetchV7,
  8: library.fetchV8,
  9: library.fetchV9,
  10: library.fetchV10,
  11: library.fetchV11,
  12: library.fetchV12,
};

const TOPIC = "orders-ü";
const anyVersion = fc.constantFrom(...VERSIONS);
const int32 = fc.integer({ min: -1, max: 2 ** 31 - 1 });
const offset = fc.bigInt(0n, 2n ** 62n);
const topicIdBytes = Buffer.alloc(16);
const name = { topicId: NO_TOPIC_ID, topicIdBytes };

const anyRequest = fc.record({
  topic: fc.constant(TOPIC),
  maxWaitMs: int32,
  bytesMax: int32,
  sessionId: int32,
  sessionEpoch: int32,
  rack: fc.constantFrom("", "rack-a", "r".repeat(300)),
  partitions: fc.array(
    fc.record({ partition: int32, leaderEpoch: int32, position: offset, bytesMax: int32 }),
    { maxLength: 200 },
  ),
  forgotten: fc.array(fc.record({ partition: int32 }), { maxLength: 200 }),
});

describe("encodeFetchRequest, by name", () => {
  it("writes byte for byte what the library writes, in all versions from 4 to 12", () => {
    fc.assert(
      fc.property(anyRequest, anyVersion, (request, version) => {
        const partitions = request.partitions.map((row) => ({ ...row, ...name }));
        const forgotten = request.forgotten.map((row) => ({ ...row, ...name }));
        const ours = encodeFetchRequest({ ...request, partitions, forgotten }, version);
        const rows = request.partitions.map((row) => ({
          partition: row.partition,
          currentLeaderEpoch: row.leaderEpoch,
          fetchOffset: row.position,
          lastFetchedEpoch: -1,
          partitionMaxBytes: row.bytesMax,
        }));
        const asked = new Set(rows.map(({ partition }) => partition));
        const gone = request.forgotten
          .map(({ partition }) => partition)
          .filter((partition) => !asked.has(partition));
        const named = { topic: TOPIC, topicId: TOPIC };
        const theirs = LIBRARY[version].createRequest(
          request.maxWaitMs,
          1,
          request.bytesMax,
          1,
          request.sessionId,
          request.sessionEpoch,
          rows.length > 0 ? [{ ...named, partitions: rows }] : [],
          gone.length > 0 ? [{ ...named, partitions: gone }] : [],
          request.rack,
        );
        expect(ours.toString("hex")).toBe(theirs.buffer.toString("hex"));
      }),
    );
  });

  it("goes by name while one of the ids isn't known", () => {
    const known = { topicId: "0f3d2c1b-0000-4000-8000-00000000000a" };
    expect(versionFor(17, [known])).toBe(17);
    expect(versionFor(17, [known, name])).toBe(12);
    expect(versionFor(11, [known])).toBe(11);
  });
});

const anyAnswer = fc.record({
  throttleMs: fc.nat(),
  errorCode: fc.integer({ min: -1, max: 150 }),
  sessionId: fc.nat(),
  partitions: fc.array(
    fc.record({
      partition: fc.nat(),
      errorCode: fc.integer({ min: -1, max: 150 }),
      highWatermark: offset,
      lastStableOffset: offset,
      logStart: offset,
      preferredReplica: int32,
      aborted: fc.array(fc.record({ producerId: offset, firstOffset: offset }), { maxLength: 3 }),
      records: fc.uint8Array({ maxLength: 300 }).map((bytes) => Buffer.from(bytes)),
    }),
    { maxLength: 5 },
  ),
});

describe("parseFetchResponse, by name", () => {
  it("reads back what was written, and what a version doesn't have by its default", () => {
    fc.assert(
      fc.property(anyAnswer, anyVersion, (answer, version) => {
        const bytes = writeNamedAnswer(answer, version, TOPIC);
        const { partitions, buffer, ...fixed } = parseFetchResponse(bytes, version, TOPIC);
        const { throttleMs, errorCode, sessionId } = answer;
        expect(fixed).toEqual({
          isNamed: true,
          throttleMs,
          muteMs: version >= 8 ? throttleMs : 0,
          errorCode: version >= 7 ? errorCode : 0,
          sessionId: version >= 7 ? sessionId : 0,
        });
        const rows = partitions.map(({ recordsStart, recordsEnd, ...row }) => ({
          ...row,
          records: Buffer.from(buffer.subarray(recordsStart, recordsEnd)),
        }));
        expect(rows).toEqual(
          answer.partitions.map((row) => ({
            ...row,
            topicId: "",
            logStart: version >= 5 ? row.logStart : -1n,
            preferredReplica: version >= 11 ? row.preferredReplica : -1,
          })),
        );
      }),
    );
  });

  it("takes null for no aborted transactions and no records", () => {
    const row = Buffer.concat([
      Buffer.from("00000000" + "00000001" + "0001" + "74" + "00000001", "hex"),
      Buffer.from("00000003" + "0000" + "0000000000000005" + "0000000000000005", "hex"),
      Buffer.from("ffffffff" + "ffffffff", "hex"),
    ]);
    const [partition] = parseFetchResponse(row, 4, "t").partitions;
    expect(partition).toMatchObject({ partition: 3, aborted: [], recordsStart: row.length });
  });

  it("F11: an answer about another topic is refused", () => {
    for (const version of VERSIONS) {
      const bytes = writeNamedAnswer({ partitions: [{ partition: 0 }] }, version, "other");
      expect(() => parseFetchResponse(bytes, version, TOPIC)).toThrow(WireFault);
    }
  });

  it("F11: changed and cut bytes are read within bounds, or refused, and nothing else", () => {
    fc.assert(
      fc.property(
        anyAnswer,
        anyVersion,
        fc.array(fc.tuple(fc.nat(), fc.nat(255))),
        fc.nat(),
        (answer, version, flips, cut) => {
          let bytes = writeNamedAnswer(answer, version, TOPIC);
          for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
          if (cut % 3 === 0) bytes = bytes.subarray(0, cut % bytes.length);
          try {
            for (const row of parseFetchResponse(bytes, version, TOPIC).partitions) {
              expect(row.recordsStart).toBeLessThanOrEqual(row.recordsEnd);
              expect(row.recordsEnd).toBeLessThanOrEqual(bytes.length);
            }
          } catch (error) {
            expect(error).toBeInstanceOf(WireFault);
          }
        },
      ),
      { numRuns: 2000 },
    );
  });
});
