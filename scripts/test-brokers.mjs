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
const main = join(ROOT, "test", "brokers", "run", "run-main.ts");
const { status } = spawnSync(NODE, [main, ...process.argv.slice(2)], {
  cwd: ROOT,
  env: TOOL_ENV,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
