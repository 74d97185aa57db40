/** `node test/prepare-tools.ts`: the set-up step of `npm test`. */
import { ensureKafkaJars } from "@penstock/local";
import { prepareTools } from "./tools.ts";

const log = (line: string): void => void process.stdout.write(`${line}\n`);
await ensureKafkaJars(log);
await prepareTools(log);
