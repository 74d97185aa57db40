import { mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { readSealKey } from "./seal-key-file.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "penstock-key-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

describe("readSealKey", () => {
  it("makes a key for its owner alone, one for all who ask at once, and keeps it", async () => {
    const path = join(folder, "deep", "key");
    const keys = await Promise.all(Array.from({ length: 8 }, () => readSealKey(path)));
    expect(keys[0]).toHaveLength(32);
    for (const key of keys) expect(key).toEqual(keys[0]);
    expect(await readSealKey(path)).toEqual(keys[0]);
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(readdirSync(join(folder, "deep"))).toEqual(["key"]);
  });

  it.each(["", "short", Buffer.alloc(31).toString("base64"), Buffer.alloc(33).toString("base64")])(
    "refuses a file that holds %j",
    async (content) => {
      const path = join(folder, "key");
      writeFileSync(path, content);
      await expect(readSealKey(path)).rejects.toThrow(/must hold 32 bytes in base64/);
    },
  );
});
