/**
 * Writes docs/api.md from the contract's comments; with `--check` it says whether the file is what would be written (exit code 1 if not).
 * Needs `buf` on the PATH, as npm's scripts have it.
 */
import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readContract } from "./read-contract.ts";
import { renderManual } from "./render-manual.ts";

const ROOT = join(import.meta.dirname, "..", "..");
const MANUAL = join(ROOT, "docs", "api.md");

const descriptors = execFileSync("buf", ["build", "--output", "-#format=binpb"], { cwd: ROOT });
const preface = readFileSync(join(import.meta.dirname, "preface.md"), "utf8");
const manual = renderManual(preface, readContract(descriptors));

if (!process.argv.includes("--check")) writeFileSync(MANUAL, manual);
else if (!existsSync(MANUAL) || readFileSync(MANUAL, "utf8") !== manual) {
  process.stdout.write("docs/api.md is not what proto/ says: run `npm run generate`.\n");
  process.exitCode = 1;
}
