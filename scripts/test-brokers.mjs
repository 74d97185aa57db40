/**
 * `npm run test:brokers`: what Penstock reads from, version by version (docs/operating/brokers.md). Plain JavaScript for Node 20, no
 * dependencies; the run itself is test/brokers/run/run-main.ts under Node 24.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, giveUp, missingForKafka, NODE, ROOT, TOOL_ENV } from "./toolchain.mjs";

const missing = missingForKafka();
if (missing !== undefined)
  giveUp(`The brokers are real ones, which need a JDK (17 or later) and Maven: ${missing}.`);
ensureInstalled();
const options = { cwd: ROOT, env: TOOL_ENV, stdio: "inherit" };
const prepare = join(ROOT, "test", "prepare-tools.ts");
if (spawnSync(NODE, [prepare, "brokers", ...process.argv.slice(2)], options).status !== 0)
  giveUp("Not all brokers could be fetched: see above.");
const main = join(ROOT, "test", "brokers", "run", "run-main.ts");
const { status } = spawnSync(NODE, [main, ...process.argv.slice(2)], options);
process.exitCode = status ?? 1;
