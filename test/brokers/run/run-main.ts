/**
 * `npm run test:brokers`: the contract of record sources and the whole service on every broker there is a row for. The last line says how
 * many tests passed, as that of `npm test`; with --write the table of docs/operating/brokers.md says it row by row.
 */
import { existsSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { REPOSITORY_ROOT } from "@penstock/local";
import { isLike, ROWS } from "../rows/broker-row.ts";
import { type Part, readArguments, USAGE } from "./arguments.ts";
import { type TableLine, writeTable } from "./brokers-table.ts";
import { type RunOutcome, runVitest, type TestOutcome } from "./run-vitest.ts";
import { SERVICE_RUNS } from "./service-runs.ts";

/** As titleOf of rows/broker-row.ts writes it, and what is done with the row. */
const TITLE = /^Kafka (\S+), (\S+) driver, (\S+) groups, ([^:]+)(?:: (.+))?$/;
const FOLDERS: Readonly<Record<Exclude<Part, "service">, string>> = {
  contract: "test/brokers",
  clusters: "test/brokers/clusters",
  takeover: "test/brokers/takeover",
  managed: "test/brokers/managed",
};

type Row = Pick<TableLine, "version" | "driver" | "protocol" | "security">;

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

let run: ReturnType<typeof readArguments>;
try {
  run = readArguments(process.argv.slice(2));
} catch (error) {
  say(`${error instanceof Error ? error.message : String(error)}\n\n${USAGE}`);
  process.exit(1);
}
const { wanted, parts, isWritten } = run;
const folder = mkdtempSync(join(tmpdir(), "penstock-brokers-run-"));
const outcomes: RunOutcome[] = [];
const lines: TableLine[] = [];
for (const part of parts) {
  if (part === "service") await runServices();
  else await runRows(part);
}
const tests = outcomes.flatMap((outcome) => outcome.tests);
const broken = outcomes.flatMap((outcome) => outcome.broken);
const count = (status: string): number => tests.filter((test) => test.status === status).length;
for (const { groups, title, reason } of tests.filter(({ status }) => status === "failed"))
  say(
    `FAILED  ${[...groups, title].join(" > ")}\n          ${reason.replaceAll("\n", "\n          ")}`,
  );
for (const what of broken) say(`FAILED  ${what}`);
if (isWritten) writeTable(lines);
rmSync(folder, { recursive: true, force: true });
const failed = count("failed") + broken.length;
const skipped = count("skipped");
say(`${count("passed")} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = failed > 0 ? 1 : 0;

/** Files of a part say in the titles of their outermost groups which row they are about. */
async function runRows(part: Exclude<Part, "service">): Promise<void> {
  const path = join(REPOSITORY_ROOT, FOLDERS[part]);
  if (!existsSync(path)) return;
  const inFolder = readdirSync(path)
    .filter((name) => /\.(?:test|brokers)\.ts$/.test(name))
    .filter(hasRows);
  if (inFolder.length === 0) return;
  say(`\n── ${part}`);
  const files = inFolder.map((name) => join(FOLDERS[part], name));
  const env = { BROKER_ROWS: JSON.stringify(wanted) };
  const outcome = await runVitest("contract", files, env, join(folder, `${part}.json`));
  outcomes.push(outcome);
  for (const [title, of] of groupBy(outcome.tests, ({ groups }) => groups[0] ?? "")) {
    const [, version = "", driver = "", protocol = "", security = "", what] =
      TITLE.exec(title) ?? [];
    if (version === "") continue;
    const row = { version, driver, protocol, security };
    lines.push(lineOf(row, what ?? "contract of record sources", of, part));
  }
}

async function runServices(): Promise<void> {
  for (const service of SERVICE_RUNS) {
    const row: Row = { driver: "native", security: "plaintext", ...service };
    if (!Object.entries(wanted).every(([name, value]) => row[name as keyof Row] === value))
      continue;
    say(
      `\n── the whole service on Kafka ${row.version}, ${row.driver} driver, ${row.protocol} groups`,
    );
    const env = {
      TEST_KAFKA_VERSION: row.version,
      TEST_KAFKA_DRIVER: row.driver,
      TEST_GROUP_PROTOCOL: row.protocol,
    };
    const report = join(folder, `service-${Object.values(row).join("-")}.json`);
    const outcome = await runVitest("service", [...(service.files ?? [])], env, report);
    outcomes.push(outcome);
    lines.push(lineOf(row, "whole service under faults", outcome.tests, "service"));
  }
}

function lineOf(row: Row, what: string, of: readonly TestOutcome[], part: Part): TableLine {
  const count = (status: string): number => of.filter((test) => test.status === status).length;
  const { version, driver, protocol, security } = row;
  const listener = /(plaintext|scram|plain)/i.exec(security)?.[0].toLowerCase();
  return {
    ...row,
    what,
    passed: count("passed"),
    failed: count("failed"),
    skipped: count("skipped"),
    seconds: Math.round(of.reduce((sum, test) => sum + test.durationMs, 0) / 1000),
    again: `--version ${version} --driver ${driver} --protocol ${protocol} --security ${listener} --part ${part}`,
  };
}

/** `kafka-4.3-kafkajs.test.ts`: whether a row of this version, and of this driver, was asked for. Names without a version are for all. */
function hasRows(name: string): boolean {
  const [, version, driver] = /^kafka-(\d+(?:\.\d+)+)(?:-(\w+))?\./.exec(name) ?? [];
  if (version === undefined) return true;
  const of: Record<string, string> = {
    ...wanted,
    version,
    ...(driver !== undefined && { driver }),
  };
  const isAsked = Object.entries(wanted).every(([field, value]) => of[field] === value);
  return isAsked && ROWS.some((row) => isLike(row, of));
}

function groupBy<T>(all: readonly T[], keyOf: (one: T) => string): Map<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const one of all) {
    const of = groups.get(keyOf(one)) ?? [];
    groups.set(keyOf(one), of);
    of.push(one);
  }
  return groups;
}
