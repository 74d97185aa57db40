/**
 * `node test/prepare-tools.ts`: the set-up step of `npm test`; with `builds`: what it does beside the first tests; with `brokers`: the
 * set-up step of `npm run test:brokers`, for the versions that are named or for all.
 */
import { ensureKafkaJars, KAFKA_VERSIONS, type KafkaVersion } from "@penstock/local";
import { prepareBuilds, prepareDownloads } from "./tools.ts";

const log = (line: string): void => void process.stdout.write(`${line}\n`);
/** Of `npm test`. */
const VERSIONS: readonly KafkaVersion[] = ["4.3", "3.9"];
const named = KAFKA_VERSIONS.filter((version) => process.argv.includes(version));

if (process.argv.includes("builds")) await prepareBuilds();
else if (process.argv.includes("brokers"))
  await prepareKafka(named.length > 0 ? named : KAFKA_VERSIONS);
else await Promise.all([prepareKafka(VERSIONS), prepareDownloads(log)]);

/** One after the other: each loads the line, and then the processor. */
async function prepareKafka(versions: readonly KafkaVersion[]): Promise<void> {
  for (const version of versions) await ensureKafkaJars(log, version);
}
