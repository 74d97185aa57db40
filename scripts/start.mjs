/**
 * `npm start`: installs what is missing, then hands over to the quick start under Node 24.
 * Plain JavaScript for Node 20, no dependencies. `--standalone`: the three services in one process.
 */
import { spawn } from "node:child_process";
import { join } from "node:path";
import { ensureInstalled, giveUp, missingForKafka, NODE, ROOT, TOOL_ENV } from "./toolchain.mjs";

if (!process.env.KAFKA_BOOTSTRAP_SERVERS) {
  const missing = missingForKafka();
  if (missing !== undefined) {
    giveUp(`The local Kafka needs a JDK (17 or later) and Maven: ${missing}.

There are three ways on:
  1. Install them and run npm start again.
       Debian, Ubuntu: apt-get install openjdk-17-jdk-headless maven
       macOS:          brew install openjdk maven
  2. Run everything in containers:  docker compose up
  3. Use brokers of your own:       KAFKA_BOOTSTRAP_SERVERS=host:9092 npm start`);
  }
}
ensureInstalled();

const main = join(ROOT, "packages", "local", "src", "quick-start", "main.ts");
// kafkajs, which produces the orders, sets timers in the past: harmless.
const flags = ["--disable-warning=TimeoutNegativeWarning"];
const child = spawn(NODE, [...flags, main, ...process.argv.slice(2)], {
  cwd: ROOT,
  // Compiled once, the sources of the services load faster at the next start.
  env: { NODE_COMPILE_CACHE: join(ROOT, ".cache", "node"), ...TOOL_ENV },
  // Over the fourth, which carries nothing, the quick start notices when this process is killed.
  stdio: ["inherit", "inherit", "inherit", "ipc"],
});
for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => child.kill(signal));
child.once("error", (error) => giveUp(`Node 24 can't be started: ${error.message}`));
child.once("exit", (code) => process.exit(code ?? 1));
