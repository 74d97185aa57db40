/** `node test/prepare-tools.ts`: the set-up step of `npm test`; with `builds`: what it does beside the first tests. */
import { ensureKafkaJars } from "@penstock/local";
import { prepareBuilds, prepareDownloads } from "./tools.ts";

const log = (line: string): void => void process.stdout.write(`${line}\n`);
if (process.argv.includes("builds")) await prepareBuilds();
else {
  await ensureKafkaJars(log);
  await prepareDownloads(log);
}
