import { create } from "@bufbuild/protobuf";
import { fleet } from "@penstock/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProgressBuffer } from "./progress-buffer.ts";

const sender = {};
const limits = { partitionsMax: 100, gapsMax: 3 };

const progressOf = (
  sequence: bigint,
  partitions: { epoch: number; committed: bigint; partition?: number }[],
  gapIds: string[] = [],
) =>
  create(fleet.ProgressSchema, {
    sequence,
    partitions: partitions.map(({ epoch, committed, partition = 0 }) => ({
      mappingId: "m",
      topicId: "t",
      partition,
      assignmentEpoch: epoch,
      position: committed,
      committedOffset: committed,
      logEndOffset: committed,
    })),
    gaps: gapIds.map((gapId) => ({ gapId, mappingId: "m", topicId: "t", gap: {} })),
  });

const rows = (buffer: ProgressBuffer) =>
  [...buffer.take().partitions.values()].map((row) => [row.assignmentEpoch, row.committedOffset]);

describe("ProgressBuffer", () => {
  it("I-5: a report of an older epoch never replaces a newer one, nor a smaller offset a larger", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 1, max: 4 }), fc.bigInt({ min: -1n, max: 9n })), {
          minLength: 1,
        }),
        (reports) => {
          const buffer = new ProgressBuffer(limits);
          const [last] = reports
            .map(([epoch, committed]) => {
              buffer.add(sender, "n", progressOf(1n, [{ epoch, committed }]));
              return [epoch, committed] as const;
            })
            .sort((a, b) => b[0] - a[0] || Number(b[1] - a[1]));
          expect(rows(buffer)).toEqual([last]);
        },
      ),
    );
  });

  it("F70: keeps one row for each partition however often it is reported and put back", () => {
    const buffer = new ProgressBuffer(limits);
    for (let at = 1n; at <= 1000n; at++) {
      buffer.add(sender, "n", progressOf(at, [{ epoch: 1, committed: at }]));
      const batch = buffer.take();
      buffer.add(sender, "n", progressOf(at, [{ epoch: 1, committed: at + 1n }]));
      buffer.restore(batch);
    }
    const batch = buffer.take();
    expect([...batch.partitions.values()].map((row) => row.committedOffset)).toEqual([1001n]);
    expect([...batch.sequences.values()]).toEqual([1000n]);
    expect(buffer.isEmpty).toBe(true);
  });

  it("I-1: refuses a report whose gaps have no room, whole, so that it is sent again", () => {
    const buffer = new ProgressBuffer(limits);
    expect(buffer.add(sender, "n", progressOf(1n, [], ["a", "b"]))).toBe(true);
    expect(buffer.add(sender, "n", progressOf(2n, [{ epoch: 1, committed: 1n }], ["c", "d"]))).toBe(
      false,
    );
    const batch = buffer.take();
    expect([...batch.gaps.keys()]).toEqual(["a", "b"]);
    expect([...batch.sequences.values()]).toEqual([1n]);
  });
});
