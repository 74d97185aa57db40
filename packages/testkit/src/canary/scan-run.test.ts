import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { CANARY, PLANTED_FILE } from "./canary.ts";
import { scanRun } from "./scan-run.ts";

let folder = "";

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "penstock-scan-"));
  keep(PLANTED_FILE, "password\ntoken\n");
  for (const part of ["logs", "worlds", "metrics", "answers", "postgres"])
    keep(`${part}/some.txt`, "nothing of interest");
});
afterEach(() => rmSync(folder, { recursive: true }));

function keep(name: string, content: string | Uint8Array): void {
  mkdirSync(dirname(join(folder, name)), { recursive: true });
  writeFileSync(join(folder, name), content);
}

describe("I-21: the search for planted secrets", () => {
  it("passes when there is none", () => {
    expect(scanRun(folder)).toMatchObject({ planted: 2, files: 6, findings: [] });
  });

  it.each<[string, string | Uint8Array]>([
    ["plain", `{"password":"${CANARY}-x"}`],
    ["plain", Buffer.concat([Buffer.from([0xff, 0xfe, 0]), Buffer.from(CANARY)])],
    ["hexadecimal", `\\x00${Buffer.from(`${CANARY}-x`).toString("hex")}`],
    ["hexadecimal", Buffer.from(CANARY).toString("hex").toUpperCase()],
    ["base64", Buffer.from(`${CANARY}-x`).toString("base64")],
    ["base64", Buffer.from(`:${CANARY}-x`).toString("base64url")],
    ["base64", Buffer.from(`user-name-18-long:${CANARY}`).toString("base64")],
  ])("finds one that is written %s, and does not repeat it", (form, text) => {
    keep("logs/mapping.txt", text);
    const { findings } = scanRun(folder);
    expect(findings).toHaveLength(1);
    expect(findings[0]).toContain(`logs/mapping.txt:1: a planted secret (${form})`);
    expect(findings[0]).not.toContain(CANARY);
  });

  it("finds one at every place in a group of base64", () => {
    for (let shift = 0; shift < 9; shift++) {
      const text = `${"u".repeat(shift)}${CANARY}p`;
      keep("worlds/data", Buffer.from(text).toString("base64"));
      expect(scanRun(folder).findings).toHaveLength(1);
    }
  });

  it("fails when nothing was planted", () => {
    rmSync(join(folder, PLANTED_FILE));
    expect(scanRun(folder).findings).toEqual(["no secret was planted: the search proves nothing"]);
  });

  it("fails when a kind of output was not kept", () => {
    rmSync(join(folder, "metrics"), { recursive: true });
    expect(scanRun(folder).findings).toEqual([
      "nothing was kept in metrics/: the search proves nothing about it",
    ]);
  });
});
