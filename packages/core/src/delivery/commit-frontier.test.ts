import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { CommitFrontier, type OffsetRange } from "./commit-frontier.ts";

describe("CommitFrontier", () => {
  it("I-2: never passes an unsettled record, whatever the order of settlement", () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.integer({ min: 0, max: 3 }), fc.integer({ min: 1, max: 5 })), {
          maxLength: 30,
        }),
        fc.infiniteStream(fc.nat()),
        (steps, choices) => {
          const frontier = new CommitFrontier(0n);
          const unsettled = new Set<bigint>();
          const ranges: OffsetRange[] = [];
          let position = 0n;
          let before = 0n;
          const check = () => {
            const lowest = [...unsettled].reduce(
              (low, offset) => (offset < low ? offset : low),
              position,
            );
            expect(frontier.next).toBe(lowest);
            expect(frontier.next >= before).toBe(true);
            before = frontier.next;
          };
          for (const [gap, length] of steps) {
            const from = position + BigInt(gap);
            const to = from + BigInt(length);
            frontier.passTo(from);
            ranges.push(frontier.admit(from, to));
            for (let offset = from; offset < to; offset++) unsettled.add(offset);
            position = to;
            check();
            if ((choices.next().value as number) % 2 === 0 && ranges.length > 0) {
              settleOne();
              check();
            }
          }
          while (ranges.length > 0) {
            settleOne();
            check();
          }
          expect(frontier.next).toBe(position);
          expect(frontier.isIdle).toBe(true);

          function settleOne(): void {
            const at = (choices.next().value as number) % ranges.length;
            const [range] = ranges.splice(at, 1) as [OffsetRange];
            frontier.settle(range);
            for (let offset = range.from; offset < range.to; offset++) unsettled.delete(offset);
          }
        },
      ),
    );
  });

  it("takes a withdrawn range back: it is not settled", () => {
    const frontier = new CommitFrontier(5n);
    const range = frontier.admit(7n, 9n);
    frontier.passTo(12n);
    frontier.withdraw(range);
    expect(frontier.next).toBe(7n);
    frontier.settle(frontier.admit(7n, 8n));
    expect(frontier.next).toBe(8n);
  });

  it("refuses a range that was settled twice, is empty, overlaps or lies below", () => {
    const frontier = new CommitFrontier(5n);
    const range = frontier.admit(5n, 9n);
    expect(() => frontier.admit(8n, 10n)).toThrow("overlaps");
    expect(() => frontier.admit(10n, 10n)).toThrow("empty");
    frontier.settle(range);
    expect(() => frontier.settle(range)).toThrow("twice");
    expect(() => frontier.admit(4n, 10n)).toThrow("below");
  });
});
