import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { FrameGuard } from "./frame-guard.ts";

const LIMIT = 1_000;

function frame(length: number): Buffer {
  const buffer = Buffer.alloc(4 + Math.max(0, length), 0xff);
  buffer.writeInt32BE(length);
  return buffer;
}

describe("FrameGuard", () => {
  it("F09, F11: accepts any cut of acceptable frames, and refuses the chunk in which an unacceptable length is complete", () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 4, max: LIMIT }), { maxLength: 6 }),
        fc.constantFrom(null, 0, 3, -1, -2_147_483_648, LIMIT + 1, 2_147_483_647),
        fc.array(fc.integer({ min: 1, max: 300 }), { maxLength: 40 }),
        (lengths, bad, cuts) => {
          const good = Buffer.concat(lengths.map(frame));
          const prefix = Buffer.alloc(4);
          prefix.writeInt32BE(bad ?? 4);
          const stream = bad === null ? good : Buffer.concat([good, prefix]);
          const guard = new FrameGuard(LIMIT);
          let at = 0;
          for (const cut of [...cuts, stream.length]) {
            const chunk = stream.subarray(at, at + cut);
            at = Math.min(stream.length, at + cut);
            const isAccepted = guard.accept(chunk);
            expect(isAccepted).toBe(bad === null || at < stream.length);
            if (!isAccepted || at === stream.length) return;
          }
        },
      ),
    );
  });
});
