import { closeSync, mkdtempSync, openSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { FileOutput } from "./file-output.ts";

describe("FileOutput", () => {
  let folder: string;
  let file: string;
  let descriptor: number;

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "penstock-log-"));
    file = join(folder, "log");
    descriptor = openSync(file, "a");
  });

  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  it("writes all lines in order", async () => {
    const output = new FileOutput(descriptor);
    const lines = Array.from({ length: 1000 }, (_, line) => `${line}\n`);
    for (const line of lines) output.write(line);
    await output.flush(5000);
    expect(readFileSync(file, "utf8")).toBe(lines.join(""));
    expect(output.bufferedBytes).toBe(0);
    closeSync(descriptor);
  });

  it("F88: drops and counts what is over its limit, and says so afterwards", async () => {
    const output = new FileOutput(descriptor, 100);
    for (let line = 0; line < 30; line++) output.write("123456789\n");
    expect(output.droppedLines).toBe(20);
    await output.flush(5000);
    expect(readFileSync(file, "utf8")).toMatch(/^(123456789\n){10}\{.*"dropped":20\}\n$/);
    closeSync(descriptor);
  });

  it("hands over what waits at once when the process ends", () => {
    const output = new FileOutput(descriptor);
    output.write("last words\n");
    output.flushNow();
    expect(readFileSync(file, "utf8")).toBe("last words\n");
    closeSync(descriptor);
  });

  it("survives a descriptor that can't be written", async () => {
    closeSync(descriptor);
    const output = new FileOutput(openSync(join(folder, "read-only"), "a+"));
    const broken = new FileOutput(1_000_000);
    output.write("fine\n");
    broken.write("lost\n");
    await Promise.all([output.flush(5000), broken.flush(5000)]);
    expect(broken.droppedLines).toBe(1);
    broken.write("lost\n");
    broken.flushNow();
  });
});
