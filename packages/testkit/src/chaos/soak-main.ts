import { runSoak } from "./run-soak.ts";

/**
 * `npm run soak -- [--seed N] [--seconds N] [--records N]`: the long form of the chaos test. Default: two minutes, 300 000 records over
 * 12 partitions, pauses of 60 s, two broker restarts.
 */
const argument = (name: string, fallback: number): number => {
  const at = process.argv.indexOf(`--${name}`);
  return at < 0 ? fallback : Number(process.argv[at + 1]);
};

const say = (text: string): void => {
  process.stdout.write(`${text}\n`);
};

const seed = argument("seed", Math.floor(Date.now() % 1_000_000));
say(`seed ${seed}`);
const result = await runSoak({
  seed,
  durationMs: argument("seconds", 120) * 1000,
  records: argument("records", 300_000),
  partitions: 12,
  intervalMs: 8000,
  pauseMs: argument("pause", 60) * 1000,
  brokerRestarts: 2,
  drainMs: 240_000,
  say,
});
say(JSON.stringify(result, null, 2));
const missing = Object.entries(result.marks).filter(([, count]) => count === 0);
if (missing.length > 0) {
  say(`not a pass: ${missing.map(([kind]) => kind).join(", ")} did not happen; take another seed`);
  process.exitCode = 1;
} else say("nothing lost, order kept, duplicates within the bound, lag 0");
