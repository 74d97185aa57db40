/** One measured part: the best of several rounds, in nanoseconds for one unit of work. */
export interface PartResult {
  readonly name: string;
  readonly nsPerUnit: number;
}

const ROUNDS = 20;
const ROUND_MS = 60;

/** Runs `work`, which does `units` units, until its time is stable, and keeps the best round. */
export function measure(name: string, units: number, work: () => unknown): PartResult {
  let best = Number.POSITIVE_INFINITY;
  for (let round = 0; round < ROUNDS; round++) {
    const started = performance.now();
    let runs = 0;
    do {
      work();
      runs++;
    } while (performance.now() - started < ROUND_MS);
    best = Math.min(best, (performance.now() - started) / runs);
  }
  return { name, nsPerUnit: (best * 1e6) / units };
}

export function printParts(title: string, results: readonly PartResult[]): void {
  const lines = results.map(
    ({ name, nsPerUnit }) => `  ${name.padEnd(58)}${(nsPerUnit / 1000).toFixed(3).padStart(9)} µs`,
  );
  process.stdout.write(`${title}\n${lines.join("\n")}\n`);
}
