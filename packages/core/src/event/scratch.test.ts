import { describe, expect, it } from "vitest";
import { SCRATCH_KEPT_BYTES_MAX, Scratch } from "./scratch.ts";

describe("Scratch", () => {
  it("keeps what was written when it grows", () => {
    const scratch = new Scratch();
    scratch.start();
    scratch.bytes.write("written", 0);
    scratch.reserve(7, 200_000);
    expect(scratch.bytes.toString("utf8", 0, 7)).toBe("written");
    expect(scratch.capacity).toBeGreaterThanOrEqual(200_007);
    expect(scratch.view.buffer).toBe(scratch.bytes.buffer);
  });

  it("I-15: keeps the memory of ordinary payloads, and gives that of a large one away", () => {
    const scratch = new Scratch();
    scratch.start();
    const ordinary = scratch.bytes;
    scratch.take(1000);
    scratch.start();
    expect(scratch.bytes).toBe(ordinary);
    scratch.reserve(0, 5_000_000);
    const large = scratch.bytes;
    expect(scratch.take(5_000_000).buffer).toBe(large.buffer);
    scratch.start();
    expect(scratch.bytes.buffer).not.toBe(large.buffer);
  });

  it("I-15: shrinks to what small payloads need, within forty of them", () => {
    const scratch = new Scratch();
    scratch.start();
    scratch.reserve(0, 5_000_000);
    scratch.take(5_000_000);
    for (let payload = 0; payload < 40; payload++) {
      scratch.start();
      scratch.take(1000);
    }
    expect(scratch.bytes.length).toBeLessThanOrEqual(SCRATCH_KEPT_BYTES_MAX);
  });

  it("never writes a payload again", () => {
    const scratch = new Scratch();
    const payloads = [10, 70_000, 70_000, 10, 300_000].map((length, index) => {
      scratch.start();
      scratch.reserve(0, length);
      scratch.bytes.fill(index, 0, length);
      return scratch.take(length);
    });
    for (const [index, payload] of payloads.entries()) {
      expect(payload.equals(Buffer.alloc(payload.length, index))).toBe(true);
    }
  });
});
