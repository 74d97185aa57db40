import { KAFKA_VERSION_DEFAULT, KAFKA_VERSIONS } from "@penstock/local";
import { runSoak } from "./run-soak.ts";

/**
 * `npm run soak -- [--seed N] [--seconds N] [--records N] [--kafka 3.9] [--protocol consumer|classic] [--driver native|kafkajs]`: the long form of the chaos test. Default: two minutes, 300 000 records over
 * 12 partitions, pauses of 60 s, two broker restarts.
 */
const argument = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};

function choice<T extends string>(name: string, choices: readonly T[], fallback: T): T {
  const at = process.argv.indexOf(`--${name}`);
  const wanted = at < 0 ? fallback : process.argv[at + 1];
  const found = choices.find((one) => one === wanted);
  if (found === undefined) throw new Error(`--${name} is one of ${choices.join(", ")}`);
  return found;
}

/** What may come twice (I-6), as the checkers count it. */
const BOUND =
  "records that were dispatched and not committed when a poller was killed or paused, or a call's way to the invoker broke";
const BOUNDS = {
  consumer: `${BOUND}; rebalances add none: what moves drains first`,
  classic: `${BOUND}; cooperative rebalances add none: what moves drains first`,
  kafkajs: `${BOUND}; eager rebalances add none: every partition drains first`,
} as const;

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const seed = argument("seed", Math.floor(Date.now() % 1_000_000));
const version = choice("kafka", KAFKA_VERSIONS, KAFKA_VERSION_DEFAULT);
const driver = choice("driver", ["native", "kafkajs"], "native");
const speaksConsumer = Number.parseInt(version, 10) >= 4 && driver === "native";
const protocol = choice(
  "protocol",
  ["consumer", "classic"],
  speaksConsumer ? "consumer" : "classic",
);
const what = `Kafka ${version}, ${driver} driver, ${protocol} groups`;
say(`seed ${seed}, ${what}`);
const result = await runSoak({
  seed,
  durationMs: argument("seconds", 120) * 1000,
  records: argument("records", 300_000),
  partitions: 12,
  intervalMs: 8000,
  pauseMs: argument("pause", 60) * 1000,
  brokerRestarts: 2,
  drainMs: 240_000,
  version,
  protocol,
  driver,
  say,
});
say(JSON.stringify(result, null, 2));
const { duplicates, duplicateBound } = result;
say(
  `${what}: ${duplicates} records came twice, at most ${duplicateBound} may: ${BOUNDS[driver === "kafkajs" ? driver : protocol]}`,
);
const missing = Object.entries(result.marks).filter(([, count]) => count === 0);
if (missing.length > 0) {
  say(`not a pass: ${missing.map(([kind]) => kind).join(", ")} did not happen; take another seed`);
  process.exitCode = 1;
} else say("nothing lost, order kept, duplicates within the bound, lag 0");
