import { mkdtempSync, renameSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { PenstockError } from "@penstock/core";
import { expect, it, onTestFinished, vi } from "vitest";
import { createLogger } from "../logs/logger.ts";
import { WatchedFiles } from "./watched-files.ts";

const log = createLogger({ service: "test", destination: { write: () => {} } });

function folder() {
  const path = mkdtempSync(join(tmpdir(), "penstock-watched-"));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

async function open(...paths: string[]) {
  const files = await WatchedFiles.open({
    what: "test file",
    paths,
    log,
    intervalMs: 10,
    parse: (texts) => {
      if (texts.includes("bad")) throw new PenstockError("invalidArgument", "bad");
      return texts.join("+");
    },
  });
  onTestFinished(() => files.close());
  return files;
}

const becomes = (files: WatchedFiles<string>, value: string) =>
  vi.waitFor(() => expect(files.value).toBe(value), { timeout: 10_000, interval: 10 });

it("reads again what was written, renamed over or linked anew", async () => {
  const at = folder();
  const [a, b] = [join(at, "a"), join(at, "b")];
  writeFileSync(a, "1");
  writeFileSync(join(at, "target-1"), "x");
  writeFileSync(join(at, "target-2"), "y");
  symlinkSync(join(at, "target-1"), b);
  const files = await open(a, b);
  expect(files.value).toBe("1+x");
  writeFileSync(a, "22");
  await becomes(files, "22+x");
  writeFileSync(join(at, "a.new"), "33");
  renameSync(join(at, "a.new"), a);
  await becomes(files, "33+x");
  symlinkSync(join(at, "target-2"), join(at, "b.new"));
  renameSync(join(at, "b.new"), b);
  await becomes(files, "33+y");
});

it("keeps the value while a file is bad or gone, and takes the next good one", async () => {
  const path = join(folder(), "a");
  writeFileSync(path, "good");
  const files = await open(path);
  writeFileSync(path, "bad");
  rmSync(path);
  writeFileSync(path, "better");
  await becomes(files, "better");
});

it("does not open without a file, with a bad one or with one beyond 4 MiB", async () => {
  const path = join(folder(), "a");
  await expect(open(path)).rejects.toThrow(`The test file ${path} can't be read.`);
  writeFileSync(path, "bad");
  await expect(open(path)).rejects.toThrow("bad");
  writeFileSync(path, Buffer.alloc(4 * 1024 * 1024 + 1));
  await expect(open(path)).rejects.toThrow("must have at most 4194304 bytes");
});
