import { Writable } from "node:stream";
import { describe, expect, it } from "vitest";
import { PipeOutput } from "./pipe-output.ts";

/** A reader that takes nothing until it is released. */
class StalledReader extends Writable {
  readonly received: string[] = [];
  #release: (() => void) | null = null;
  #isOpen = false;

  constructor() {
    super({ decodeStrings: false, highWaterMark: 16 });
  }

  override _write(chunk: string, _encoding: string, done: () => void): void {
    this.received.push(chunk);
    if (this.#isOpen) done();
    else this.#release = done;
  }

  open(): void {
    this.#isOpen = true;
    this.#release?.();
  }
}

const LINE = `${"x".repeat(99)}\n`;

describe("PipeOutput", () => {
  it("F88: holds a bounded number of bytes for a stalled reader, drops the rest and counts it", () => {
    const output = new PipeOutput(new StalledReader(), 1000);
    for (let line = 0; line < 50; line++) output.write(LINE);
    expect(output.bufferedBytes).toBeLessThanOrEqual(1000);
    expect(output.droppedLines).toBe(40);
  });

  it("F88: says how many lines were lost when the reader is back", async () => {
    const reader = new StalledReader();
    const output = new PipeOutput(reader, 1000);
    for (let line = 0; line < 12; line++) output.write(LINE);
    output.flushNow();
    const drained = new Promise((resolve) => reader.once("drain", resolve));
    reader.open();
    await drained;
    await output.flush(1000);
    const text = reader.received.join("");
    expect(text).toContain('"msg":"log lines dropped","dropped":2');
    expect(text.split("\n").filter((line) => line.startsWith("x"))).toHaveLength(10);
  });

  it("F88: says so under constant load too, when the buffer never empties", async () => {
    const written: string[] = [];
    const slow = new Writable({
      decodeStrings: false,
      write(chunk: string, _encoding, done) {
        written.push(chunk);
        setImmediate(done);
      },
    });
    const output = new PipeOutput(slow, 1000);
    for (let turn = 0; turn < 10; turn++) {
      for (let line = 0; line < 12; line++) output.write(LINE);
      await new Promise(setImmediate);
    }
    expect(output.bufferedBytes).toBeGreaterThan(0);
    expect(output.bufferedBytes).toBeLessThanOrEqual(1200);
    await output.flush(5000);
    expect(written.join("")).toContain("log lines dropped");
  });

  it("L-3: flush gives up after its limit", async () => {
    const output = new PipeOutput(new StalledReader(), 1000);
    output.write(LINE);
    await output.flush(5);
    expect(output.bufferedBytes).toBe(100);
  });

  it("survives a reader that is gone", async () => {
    const reader = new StalledReader();
    const output = new PipeOutput(reader, 1000);
    reader.destroy(new Error("EPIPE"));
    await new Promise((resolve) => reader.once("close", resolve));
    output.write(LINE);
    await output.flush(1000);
    expect(output.droppedLines).toBe(1);
  });
});
