/** `node packages/testkit/src/canary/scan-main.ts <run folder>`: the search at the end of a test run. Exit code 1 on a finding. */
import { scanRun } from "./scan-run.ts";

const [folder = ""] = process.argv.slice(2);
const { planted, files, bytes, findings } = scanRun(folder);
for (const finding of findings) process.stdout.write(`${finding}\n`);
const mib = (bytes / 1024 / 1024).toFixed(1);
process.stdout.write(
  `${planted} planted secrets, ${files} files of ${mib} MiB searched, ${findings.length} findings\n`,
);
process.exitCode = findings.length > 0 ? 1 : 0;
