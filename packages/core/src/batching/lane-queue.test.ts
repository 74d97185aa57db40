import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { COLUMNS, type RecordBatch, SharedMemory } from "../records/record-batch.ts";
import { discard, LaneQueue, offsetAt, type QueueSlice, recordsIn } from "./lane-queue.ts";

/** A batch with records at the given offsets. */
function batchOf(base: number, offsets: number[], next: number, release: () => void): RecordBatch {
  const columns = new Int32Array(offsets.length * COLUMNS);
  offsets.forEach((offset, row) => {
    columns[row * COLUMNS] = offset - base;
  });
  const memory = new SharedMemory(1, release);
  memory.hold();
  return {
    baseOffset: BigInt(base),
    nextOffset: BigInt(next),
    count: offsets.length,
    buffer: Buffer.alloc(0),
    columns,
    timestamps: new Float64Array(offsets.length),
    timestampType: "CREATE_TIME",
    bytes: 10 * offsets.length,
    memory,
  };
}

/** Takes as many records as it has room for. */
function room(records: number) {
  let left = records;
  return {
    appendRange(_batch: RecordBatch, _selection: Int32Array | null, from: number, to: number) {
      const taken = Math.min(left, to - from);
      left -= taken;
      return taken;
    },
  };
}

function offsetsOf(slices: readonly QueueSlice[]): bigint[] {
  return slices.flatMap(({ entry, from, to }) =>
    Array.from({ length: to - from }, (_, i) => offsetAt(entry, from + i)),
  );
}

const ops = fc.array(
  fc.oneof(
    fc.record({
      op: fc.constant("push" as const),
      count: fc.nat(6),
      gap: fc.nat(3),
      keep: fc.nat(63),
    }),
    fc.record({
      op: fc.constant("take" as const),
      count: fc.integer({ min: 1, max: 9 }),
      room: fc.nat(9),
    }),
    fc.record({ op: fc.constant("putBack" as const) }),
  ),
  { maxLength: 60 },
);

describe("LaneQueue", () => {
  it("I-3, I-10, I-15: gives every selected record once and in order, and each batch's memory back once", () => {
    fc.assert(
      fc.property(ops, (steps) => {
        let held = 0;
        const queue = new LaneQueue(0n);
        const expected: bigint[] = [];
        const given: bigint[] = [];
        let position = 0;
        let last: QueueSlice[] = [];
        for (const step of steps) {
          if (step.op === "push") {
            const base = position + step.gap;
            const offsets = Array.from({ length: step.count }, (_, i) => base + i * 2);
            position = base + step.count * 2;
            const rows = offsets.map((_, row) => row).filter((row) => (step.keep >> row) & 1);
            held++;
            queue.push(
              batchOf(base, offsets, position, () => held--),
              Int32Array.from(rows),
            );
            expected.push(...rows.map((row) => BigInt(offsets[row] as number)));
          } else if (step.op === "take") {
            discard(last);
            given.push(...offsetsOf(last));
            last = queue.take(room(step.room), step.count);
            expect(recordsIn(last)).toBeLessThanOrEqual(Math.min(step.count, step.room));
          } else {
            queue.putBack(last);
            last = [];
          }
          const waiting = expected.slice(given.length + recordsIn(last));
          expect(queue.recordCount).toBe(waiting.length);
          expect(queue.headOffset).toBe(waiting[0] ?? BigInt(position));
          if (waiting.length === 0) expect(queue.bytes).toBe(0);
        }
        discard(last);
        given.push(...offsetsOf(last));
        last = queue.take(room(1000), 1000);
        discard(last);
        given.push(...offsetsOf(last));
        expect(given).toEqual(expected);
        expect(held).toBe(0);
      }),
    );
  });

  it("I-2: keeps its head when it is cleared: what was dropped was not delivered", () => {
    const queue = new LaneQueue(0n);
    let released = 0;
    queue.push(
      batchOf(0, [0, 1, 2, 3], 4, () => released++),
      null,
    );
    const taken = queue.take(room(2), 2);
    queue.clear();
    expect(queue.headOffset).toBe(2n);
    discard(taken);
    expect(released).toBe(1);
  });
});
