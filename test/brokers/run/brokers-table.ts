/**
 * The table of docs/operating/brokers.md, between its markers: one line for each row and part that was run. A run replaces its own lines and
 * leaves the others.
 */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { REPOSITORY_ROOT } from "@penstock/local";

const DOCUMENT = join(REPOSITORY_ROOT, "docs", "operating", "brokers.md");
const BEGIN = "<!-- table: begin -->";
const END = "<!-- table: end -->";
const HEAD = [
  "| Kafka | driver | groups | listener | what was run | result | again |",
  "|---|---|---|---|---|---|---|",
];

export interface TableLine {
  readonly version: string;
  readonly driver: string;
  readonly protocol: string;
  readonly security: string;
  readonly what: string;
  readonly passed: number;
  readonly failed: number;
  readonly skipped: number;
  readonly seconds: number;
  readonly again: string;
}

export function writeTable(lines: readonly TableLine[]): void {
  const text = readFileSync(DOCUMENT, "utf8");
  writeFileSync(DOCUMENT, withTable(text, lines));
}

/** Pure. */
export function withTable(document: string, lines: readonly TableLine[]): string {
  const begin = document.indexOf(BEGIN);
  const end = document.indexOf(END);
  if (begin < 0 || end < begin) throw new Error(`${DOCUMENT} has no ${BEGIN} … ${END}`);
  const kept = new Map<string, string>();
  for (const line of document.slice(begin + BEGIN.length, end).split("\n")) {
    const cells = line.split("|").map((cell) => cell.trim());
    if (cells.length > HEAD.length && /^\d/.test(cells[1] ?? ""))
      kept.set(cells.slice(1, 6).join(" | "), line);
  }
  for (const line of lines) kept.set(keyOf(line), textOf(line));
  const rows = [...kept].sort(([a], [b]) => compare(a, b)).map(([, line]) => line);
  const table = [BEGIN, ...HEAD, ...rows, ""].join("\n");
  return `${document.slice(0, begin)}${table}${document.slice(end)}`;
}

function keyOf({ version, driver, protocol, security, what }: TableLine): string {
  return [version, driver, protocol, security, what].join(" | ");
}

function textOf(line: TableLine): string {
  const { passed, failed, skipped, seconds, again } = line;
  const result = [
    `${passed} passed`,
    ...(failed > 0 ? [`**${failed} failed**`] : []),
    ...(skipped > 0 ? [`${skipped} skipped`] : []),
  ].join(", ");
  return `| ${keyOf(line)} | ${result}, ${seconds} s | \`npm run test:brokers -- ${again}\` |`;
}

/** Newest version first; within it as the texts go. */
function compare(a: string, b: string): number {
  const [one = [], two = []] = [a, b].map((key) => key.split(" | ")[0]?.split(".").map(Number));
  for (let at = 0; at < 3; at++) {
    const difference = (two[at] ?? 0) - (one[at] ?? 0);
    if (difference !== 0) return difference;
  }
  return a < b ? -1 : 1;
}
