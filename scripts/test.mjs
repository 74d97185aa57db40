/**
 * `npm test`: every check and every test, one after the other, also when an earlier one failed; then the search of everything that the
 * run left behind for the secrets that its tests planted. Tests that need a program of another language are skipped when it is missing.
 * The last line says how many passed, from what really ran: each check counts as one, each test as one.
 * Plain JavaScript for Node 20, no dependencies; the tools run under Node 24.
 */
import { spawn, spawnSync } from "node:child_process";
import { createWriteStream, mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ensureInstalled, giveUp, missingForKafka, NODE, ROOT, TOOL_ENV } from "./toolchain.mjs";

const CHECKS = [
  ["format and lint", "biome", "check", "."],
  ["contract: lint", "buf", "lint"],
  ["contract: format", "buf", "format", "--diff", "--exit-code"],
  ["contract: no breaking change", "buf", "breaking", "--against", "proto/image.binpb"],
  ["contract: the manual is up to date", "node", "scripts/api-manual/main.ts", "--check"],
  ["types", "tsc", "-b"],
];
const PROJECTS = ["unit", "servers", "fault", "alone"];
const SEARCH = "packages/testkit/src/canary/scan-main.ts";
const REASON_LINES_MAX = 12;

const missing = missingForKafka();
if (missing !== undefined)
  giveUp(`The tests run on a real Kafka, which needs a JDK (17 or later) and Maven: ${missing}.`);
ensureInstalled();
run("tools", NODE, ["test/prepare-tools.ts"]) || giveUp("A tool could not be set up: see above.");
// A test that needs what is built waits for it, or builds it again and says why that fails.
const builds = spawn(NODE, ["test/prepare-tools.ts", "builds"], {
  cwd: ROOT,
  env: TOOL_ENV,
  stdio: "ignore",
});

const total = { passed: 0, failed: 0, skipped: 0 };
const failures = [];
// Processes, worlds and servers of the tests leave here what they said (packages/testkit/src/canary/run-folder.ts).
const runFolder = mkdtempSync(join(tmpdir(), "penstock-run-"));
const reports = join(runFolder, "reports");
mkdirSync(reports);

for (const [name, command, ...flags] of CHECKS) {
  if (run(name, command, flags)) total.passed++;
  else fail(name);
}
for (const project of PROJECTS) await runTests(project);
if (run("search for planted secrets", NODE, [SEARCH, runFolder])) {
  total.passed++;
  rmSync(runFolder, { recursive: true, force: true });
} else fail("search for planted secrets", [`What the run left behind: ${runFolder}`]);
builds.kill();
for (const name of failures) process.stdout.write(`FAILED  ${name}\n`);
const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : "";
// Written before the exit in one piece: it is the last line.
process.stdout.write(`${total.passed} passed, ${total.failed} failed${skipped}\n`);
process.exitCode = total.failed > 0 ? 1 : 0;

async function runTests(project) {
  const report = join(reports, `${project}.json`);
  const isGreen = await runKept(`tests: ${project}`, join(reports, `${project}.txt`), "vitest", [
    ...["run", "--project", project, "--passWithNoTests"],
    ...["--reporter=default", "--reporter=json", `--outputFile.json=${report}`],
  ]);
  const failedBefore = total.failed;
  let files = [];
  try {
    files = JSON.parse(readFileSync(report, "utf8")).testResults;
  } catch {
    // The run broke before it could report: counted as a failure below.
  }
  for (const file of files) {
    for (const test of file.assertionResults) {
      if (test.status === "passed") total.passed++;
      else if (test.status === "failed") fail(`${project}: ${test.fullName}`, test.failureMessages);
      else total.skipped++;
    }
    // A file that could not be loaded, or whose set-up failed, has no failed test to show for it.
    const hasFailedTest = file.assertionResults.some(({ status }) => status === "failed");
    if (file.status === "failed" && !hasFailedTest) fail(`${project}: ${file.name}`);
  }
  // Unhandled errors and a failed global set-up belong to no file.
  if (!isGreen && total.failed === failedBefore) fail(`${project}: the run itself`);
}

/** With the beginning of what was thrown: where only the end of the output is kept, it still says why. */
function fail(name, messages = []) {
  total.failed++;
  const reason = messages.join("\n").split("\n").slice(0, REASON_LINES_MAX).join("\n          ");
  failures.push(reason === "" ? name : `${name}\n          ${reason}`);
}

/** Runs a step with its output shown; true when it ends with 0. */
function run(name, command, flags) {
  process.stdout.write(`\n── ${name}\n`);
  const { status, error } = spawnSync(command, flags, {
    cwd: ROOT,
    env: TOOL_ENV,
    stdio: ["ignore", "inherit", "inherit"],
  });
  if (error !== undefined) process.stdout.write(`${command} can't be started: ${error.message}\n`);
  return status === 0;
}

/** As `run`; what it writes is shown and kept in a file. */
function runKept(name, file, command, flags) {
  process.stdout.write(`\n── ${name}\n`);
  const kept = createWriteStream(file);
  const child = spawn(command, flags, {
    cwd: ROOT,
    env: {
      ...TOOL_ENV,
      TEST_RUN_FOLDER: runFolder,
      ...(process.stdout.isTTY && { FORCE_COLOR: "1" }),
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  for (const stream of [child.stdout, child.stderr]) {
    stream.on("data", (chunk) => {
      process.stdout.write(chunk);
      kept.write(chunk);
    });
  }
  return new Promise((resolve) => {
    child.once("error", (error) => {
      process.stdout.write(`${command} can't be started: ${error.message}\n`);
      resolve(false);
    });
    child.once("close", (status) => kept.end(() => resolve(status === 0)));
  });
}
