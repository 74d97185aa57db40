/**
 * Searches everything that a test run left behind for planted secrets (I-21).
 *
 * A search that can't fail is none: nothing planted, or nothing kept of a kind that every run has, is a finding too.
 */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join, relative } from "node:path";
import { canaryForms, PLANTED_FILE } from "./canary.ts";
import type { RunFolderPart } from "./run-folder.ts";

export interface CanaryScan {
  readonly planted: number;
  readonly files: number;
  readonly bytes: number;
  /** What is wrong, in words; empty = passed. The secret is never shown. */
  readonly findings: readonly string[];
}

export interface CanaryScanOptions {
  /** Kinds of output without which the run has not been recorded. */
  readonly required?: readonly RunFolderPart[];
}

const AROUND_CHARACTERS = 60;
const FINDINGS_MAX = 50;

export function scanRun(
  folder: string,
  { required = ["logs", "worlds", "metrics", "answers", "postgres"] }: CanaryScanOptions = {},
): CanaryScan {
  const findings: string[] = [];
  const plantedFile = join(folder, PLANTED_FILE);
  const planted = existsSync(plantedFile)
    ? readFileSync(plantedFile, "utf8").trim().split("\n").length
    : 0;
  if (planted === 0) findings.push("no secret was planted: the search proves nothing");
  for (const part of required) {
    if (filesBelow(join(folder, part)).length === 0)
      findings.push(`nothing was kept in ${part}/: the search proves nothing about it`);
  }
  const files = filesBelow(folder);
  let bytes = 0;
  for (const file of files) {
    // One character for each byte: nothing is lost in binary files.
    const text = readFileSync(file, "latin1");
    bytes += text.length;
    findings.push(...search(relative(folder, file), text));
  }
  return { planted, files: files.length, bytes, findings: findings.slice(0, FINDINGS_MAX) };
}

function search(name: string, text: string): string[] {
  for (const { form, text: wanted } of canaryForms()) {
    const at = text.indexOf(wanted);
    if (at < 0) continue;
    const line = text.slice(0, at).split("\n").length;
    const before = text
      .slice(Math.max(0, at - AROUND_CHARACTERS), at)
      .split("\n")
      .at(-1);
    return [`${name}:${line}: a planted secret (${form}), after: ${before}`];
  }
  return [];
}

function filesBelow(folder: string): string[] {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: "utf8" })
    .map((name) => join(folder, name))
    .filter((path) => statSync(path).isFile());
}
