import { fetchV13, fetchV14, fetchV15, fetchV16, fetchV17 } from "@platformatic/kafka";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { readRequest, writeAnswer } from "../testing/fetch-wire.ts";
import { encodeFetchRequest } from "./fetch-request.ts";
import { parseFetchResponse } from "./fetch-response.ts";
import { WireFault } from "./wire-reader.ts";

const LIBRARY = new Map([
  [13, fetchV13],
  [14, fetchV14],
  [15, fetchV15],
  [16, fetchV16],
  [17, fetchV17],
]);

const topicId = fc.uuid();
const int32 = fc.integer({ min: -1, max: 2 ** 31 - 1 });
const offset = fc.bigInt(0n, 2n ** 62n);

const anyRequest = fc.record({
  maxWaitMs: int32,
  bytesMax: int32,
  sessionId: int32,
  sessionEpoch: int32,
  rack: fc.constantFrom("", "rack-a", "r".repeat(300)),
  partitions: fc.array(
    fc.record({ topicId, partition: int32, leaderEpoch: int32, position: offset, bytesMax: int32 }),
    { maxLength: 200 },
  ),
  forgotten: fc.array(fc.record({ topicId, partition: int32 }), { maxLength: 200 }),
});

const withBytes = <T extends { topicId: string }>(row: T) => ({
  ...row,
  topicIdBytes: Buffer.from(row.topicId.replaceAll("-", ""), "hex"),
});

describe("encodeFetchRequest", () => {
  it("writes byte for byte what the library writes, in all versions", () => {
    fc.assert(
      fc.property(anyRequest, fc.constantFrom(13, 14, 15, 16, 17), (request, version) => {
        const partitions = request.partitions.map(withBytes);
        const forgotten = request.forgotten.map(withBytes);
        const ours = encodeFetchRequest({ ...request, topic: "t", partitions, forgotten }, version);
        const library = LIBRARY.get(version);
        if (!library) throw new Error("a version without a module");
        const theirs = library.createRequest(
          request.maxWaitMs,
          1,
          request.bytesMax,
          1,
          request.sessionId,
          request.sessionEpoch,
          // Topics are all different here, so that each is a group of its own.
          request.partitions.map((row) => ({
            topicId: row.topicId,
            partitions: [
              {
                partition: row.partition,
                currentLeaderEpoch: row.leaderEpoch,
                fetchOffset: row.position,
                lastFetchedEpoch: -1,
                partitionMaxBytes: row.bytesMax,
              },
            ],
          })),
          request.forgotten.map((row) => ({
            topic: row.topicId,
            topicId: row.topicId,
            partitions: [row.partition],
          })),
          request.rack,
        );
        expect(ours.equals(theirs.buffer)).toBe(true);
        if (version === 17) expect(readRequest(ours)).toEqual(request);
      }),
    );
  });
});

const anyAnswer = fc.record({
  throttleMs: fc.nat(),
  errorCode: fc.integer({ min: -1, max: 150 }),
  sessionId: fc.nat(),
  partitions: fc.array(
    fc.record({
      topicId,
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

describe("parseFetchResponse", () => {
  it("reads back what was written", () => {
    fc.assert(
      fc.property(anyAnswer, (answer) => {
        const { partitions, buffer, ...fixed } = parseFetchResponse(writeAnswer(answer), 17, "t");
        expect(fixed).toEqual({
          isNamed: false,
          throttleMs: answer.throttleMs,
          muteMs: answer.throttleMs,
          errorCode: answer.errorCode,
          sessionId: answer.sessionId,
        });
        const rows = partitions.map(({ recordsStart, recordsEnd, ...row }) => ({
          ...row,
          records: Buffer.from(buffer.subarray(recordsStart, recordsEnd)),
        }));
        expect(rows).toEqual(answer.partitions);
      }),
    );
  });

  it("F11: changed and cut bytes are read within bounds, or refused, and nothing else", () => {
    fc.assert(
      fc.property(
        anyAnswer,
        fc.array(fc.tuple(fc.nat(), fc.nat(255))),
        fc.nat(),
        (a, flips, cut) => {
          let bytes = writeAnswer(a);
          for (const [at, byte] of flips) bytes[at % bytes.length] = byte;
          if (cut % 3 === 0) bytes = bytes.subarray(0, cut % bytes.length);
          try {
            for (const row of parseFetchResponse(bytes, 17, "t").partitions) {
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
