import { create } from "@bufbuild/protobuf";
import { fleet } from "@penstock/proto";
import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { ProgressBuffer } from "./progress-buffer.ts";

const sender = {};
const limits = { partitionsMax: 100, gapsMax: 3, notesMax: 4 };
const takeOf = (buffer: ProgressBuffer<object>, one: object = sender) =>
  buffer.take((other) => other === one).get(one);

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

const notesOf = (kinds: readonly string[]) =>
  create(fleet.ProgressSchema, {
    sequence: 1n,
    events: kinds.map((kind) => ({ mappingId: "m", kind, message: "x".repeat(5_000) })),
  });

const rows = (buffer: ProgressBuffer<object>) =>
  [...(takeOf(buffer)?.batch.partitions.values() ?? [])].map((row) => [
    row.assignmentEpoch,
    row.committedOffset,
  ]);

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
      const taken = buffer.take(() => true);
      buffer.add(sender, "n", progressOf(at, [{ epoch: 1, committed: at + 1n }]));
      buffer.restore(taken);
    }
    const taken = takeOf(buffer);
    expect([...(taken?.batch.partitions.values() ?? [])].map((row) => row.committedOffset)).toEqual(
      [1001n],
    );
    expect(taken?.sequence).toBe(1000n);
    expect(buffer.isEmpty).toBe(true);
  });

  it("I-1: refuses a report whose gaps have no room, whole, so that it is sent again", () => {
    const buffer = new ProgressBuffer(limits);
    expect(buffer.add(sender, "n", progressOf(1n, [], ["a", "b"]))).toEqual([]);
    const second = progressOf(2n, [{ epoch: 1, committed: 1n }], ["c", "d"]);
    expect(buffer.add(sender, "n", second)).toEqual([sender]);
    const taken = takeOf(buffer);
    expect([...(taken?.batch.gaps.keys() ?? [])]).toEqual(["a", "b"]);
    expect(taken?.sequence).toBe(1n);
  });

  it("I-15: whoever takes all the room loses it to the others; problems, results and events count too", () => {
    const buffer = new ProgressBuffer(limits);
    const [greedy, modest] = [{}, {}];
    expect(buffer.add(greedy, "g", notesOf(["a", "b", "c", "d", "e"]))).toEqual([]);
    expect(buffer.add(greedy, "g", notesOf(["f"]))).toEqual([greedy]);
    expect(buffer.add(modest, "n", notesOf(["a", "b", "c"]))).toEqual([greedy]);
    expect(buffer.add(greedy, "g", notesOf(["a", "b", "c", "d"]))).toEqual([greedy]);
    expect(takeOf(buffer, greedy)).toBeUndefined();
    const messages = [...(takeOf(buffer, modest)?.batch.events.values() ?? [])];
    expect(messages.map((event) => event.message.length)).toEqual([1_000, 1_000, 1_000]);
    expect(buffer.isEmpty).toBe(true);
  });

  it("I-1: what one sender says replaces nothing that another one said", () => {
    const buffer = new ProgressBuffer(limits);
    const forger = {};
    buffer.add(sender, "n", progressOf(1n, [{ epoch: 1, committed: 5n }]));
    buffer.add(forger, "f", progressOf(1n, [{ epoch: 2 ** 31 - 1, committed: 99n }]));
    expect(rows(buffer)).toEqual([[1, 5n]]);
    expect(buffer.isEmpty).toBe(false);
    buffer.drop(forger);
    expect(buffer.isEmpty).toBe(true);
  });
});
