import { describe, expect, it } from "vitest";
import { Scratch, SLAB_BYTES_MAX } from "./scratch.ts";

function payloadOf(scratch: Scratch, length: number, fill: number): Buffer {
  scratch.start();
  for (let at = 0; at < length; at += 1000) {
    const part = Math.min(1000, length - at);
    scratch.reserve(at, part);
    scratch.bytes.fill(fill, at, at + part);
  }
  return scratch.take(length);
}

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

  it("I-13: never writes into a payload that was taken", () => {
    const scratch = new Scratch();
    const lengths = [1, 7, 8, 5000, 300_000, 12, 70_000, 1_000_000, 3, 22_000, 22_000, 22_000];
    const payloads = lengths.map((length, i) => payloadOf(scratch, length, i + 1));
    payloads.forEach((payload, i) => {
      expect(payload.length).toBe(lengths[i]);
      expect(payload.every((byte) => byte === i + 1)).toBe(true);
    });
  });

  it("cuts several small payloads from one slab, without a copy", () => {
    const scratch = new Scratch();
    payloadOf(scratch, 20_000, 1);
    const slabs = new Set(Array.from({ length: 40 }, () => payloadOf(scratch, 20_000, 2).buffer));
    expect(slabs.size).toBeLessThan(10);
  });

  it("I-15: goes back to small slabs after a large payload", () => {
    const scratch = new Scratch();
    payloadOf(scratch, 5_000_000, 1);
    let last = 0;
    for (let i = 0; i < 100; i++) last = payloadOf(scratch, 500, 2).buffer.byteLength;
    expect(last).toBeLessThanOrEqual(SLAB_BYTES_MAX);
  });

  it("I-15: has no memory before its first payload", () => {
    expect(new Scratch().bytes.length).toBe(0);
  });

  it("forgets a payload that was begun and not taken", () => {
    const scratch = new Scratch();
    scratch.start();
    scratch.reserve(0, 10);
    scratch.bytes.fill(9, 0, 10);
    expect([...payloadOf(scratch, 3, 1)]).toEqual([1, 1, 1]);
  });

  it("refuses to take more than was reserved", () => {
    const scratch = new Scratch();
    scratch.start();
    expect(() => scratch.take(scratch.capacity + 1)).toThrow("within the scratch");
  });
});
