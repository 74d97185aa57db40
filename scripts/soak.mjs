/**
 * `npm run soak`: the long form of the chaos test. Plain JavaScript for Node 20, no dependencies; the soak itself runs under Node 24.
 */
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, giveUp, missingForKafka, NODE, ROOT, TOOL_ENV } from "./toolchain.mjs";

const missing = missingForKafka();
if (missing !== undefined) {
  giveUp(`The soak runs on a real Kafka, which needs a JDK (17 or later) and Maven: ${missing}.`);
}
ensureInstalled();
const main = join(ROOT, "packages", "testkit", "src", "chaos", "soak-main.ts");
const { status } = spawnSync(NODE, [main, ...process.argv.slice(2)], {
  cwd: ROOT,
  env: TOOL_ENV,
  stdio: "inherit",
});
process.exitCode = status ?? 1;
