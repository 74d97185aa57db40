import { execFileSync } from "node:child_process";
import { existsSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type FolderRecipe, madeFolder, REPOSITORY_ROOT, runTool } from "@penstock/local";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let parent = "";
beforeEach(() => {
  parent = mkdtempSync(join(tmpdir(), "penstock-made-"));
});
afterEach(() => rmSync(parent, { recursive: true }));

function recipe(make: FolderRecipe["make"], madeFrom = ["a==1"]): FolderRecipe {
  return { name: "tool", madeFrom, limitMs: 30_000, parent, make };
}

describe("madeFolder", () => {
  it("is made once, also when several ask at the same time", async () => {
    let times = 0;
    const make = async (folder: string): Promise<void> => {
      times++;
      writeFileSync(join(folder, "program"), "");
    };
    const folders = await Promise.all([1, 2, 3].map(() => madeFolder(recipe(make))));
    expect(new Set(folders).size).toBe(1);
    expect(existsSync(join(folders[0] ?? "", "program"))).toBe(true);
    expect(times).toBe(1);
  });

  it("is never used half-made: the next one begins anew", async () => {
    const broken = madeFolder(
      recipe(async (folder) => {
        writeFileSync(join(folder, "half"), "");
        throw new Error("no network");
      }),
    );
    await expect(broken).rejects.toThrow("no network");
    const folder = await madeFolder(recipe(async () => {}));
    expect(readdirSync(folder)).toEqual([".complete"]);
  });

  it("is another one for another content", async () => {
    const first = await madeFolder(recipe(async () => {}));
    const second = await madeFolder(recipe(async () => {}, ["a==2"]));
    const third = await madeFolder(recipe(async () => {}, ["a=", "=1"]));
    expect(new Set([first, second, third]).size).toBe(3);
  });
});

describe("a machine without Python and Go", () => {
  it("is told what is missing and what to install", () => {
    const program = `
      const { ensurePython, installGo, missingForGo, missingForPython } = await import("@penstock/local");
      const message = (error) => error.message;
      process.stdout.write(JSON.stringify([
        missingForPython(), missingForGo(),
        await ensurePython("requirements.txt").catch(message), await installGo("x", "x@v1").catch(message),
      ]));`;
    const output = execFileSync(process.execPath, ["--input-type=module", "--eval", program], {
      cwd: REPOSITORY_ROOT,
      env: { PATH: parent },
      encoding: "utf8",
    });
    const [python, go, needPython, needGo] = JSON.parse(output) as string[];
    expect(python).toMatch(/no python3 .* was found/);
    expect(go).toBe("go was not found");
    expect(needPython).toMatch(/^Python is needed and no python3 .* Install Python 3\.9 or later/);
    expect(needGo).toMatch(/^Go is needed and go was not found\. See https:\/\/go\.dev\/dl\//);
  });
});

describe("runTool", () => {
  it("says what the program said when it fails", async () => {
    const failing = runTool(process.execPath, [
      "--eval",
      "process.stderr.write('broken pipe dream\\n'); process.exit(3)",
    ]);
    await expect(failing).rejects.toMatchObject({ code: "unavailable" });
    await expect(failing).rejects.toThrow("broken pipe dream");
  });
});
