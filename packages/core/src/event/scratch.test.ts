import { describe, expect, it } from "vitest";
import { SCRATCH_KEPT_BYTES_MAX, Scratch } from "./scratch.ts";

describe("Scratch", () => {
  it("keeps what was written when it grows", () => {
    const scratch = new Scratch();
    scratch.bytes.write("written", 0);
    scratch.reserve(7, 200_000);
    expect(scratch.bytes.toString("utf8", 0, 7)).toBe("written");
    expect(scratch.capacity).toBeGreaterThanOrEqual(200_007);
    expect(scratch.view.buffer).toBe(scratch.bytes.buffer);
  });

  it("I-15: gives the memory of a large payload back, and keeps that of ordinary ones", () => {
    const scratch = new Scratch();
    scratch.reserve(0, SCRATCH_KEPT_BYTES_MAX / 2);
    const ordinary = scratch.bytes;
    scratch.trim();
    expect(scratch.bytes).toBe(ordinary);
    scratch.reserve(0, 4 * SCRATCH_KEPT_BYTES_MAX);
    scratch.trim();
    expect(scratch.bytes.length).toBeLessThanOrEqual(SCRATCH_KEPT_BYTES_MAX);
  });
});
