import { runSoak } from "@penstock/testkit";
import { expect, it } from "vitest";

const SEED = 20_261_123;

// F01, F30, F31, F32, F34, F48 → I-1 … I-7, I-18, L-2. Goal: whatever ends, pauses or joins, nothing is lost, order is kept, late
// work is fenced. Method: the soak of `npm run soak`, 30 s of it, on a Kafka and a Postgres of its own.
it(`I-1, I-2, I-3, I-4, I-5, I-6, I-7, I-18: 30 s of chaos from seed ${SEED} break no promise`, async () => {
  const result = await runSoak({
    seed: SEED,
    durationMs: 30_000,
    records: 30_000,
    partitions: 12,
    intervalMs: 4500,
    pauseMs: 12_000,
    brokerRestarts: 1,
    drainMs: 120_000,
    say: (text) => process.stdout.write(`chaos: ${text}\n`),
  });
  for (const [kind, count] of Object.entries(result.marks)) expect(count, kind).toBeGreaterThan(0);
  expect(result.sent).toBe(30_000);
}, 300_000);
