/**
 * Proves that the function is not the bottleneck: sends it ready-made payloads as fast as one process can.
 *
 *     node bench/blast.ts
 */
import { createLambdaEventEncoder } from "@penstock/core";
import { Pool } from "undici";
import { plainBatch } from "./parts/plain-batch.ts";
import { startBenchFunction } from "./stack/bench-function.ts";
import { cpuMicros } from "./stack/process-usage.ts";

const CONNECTIONS = 6;
const BLAST_MS = 3000;

const target = await startBenchFunction();
const pool = new Pool(new URL(target.url).origin, { connections: CONNECTIONS, pipelining: 1 });
const encoder = createLambdaEventEncoder({
  bootstrapServers: ["127.0.0.1:9092"],
  bytesMax: 2 ** 26,
});

for (const [valueBytes, count] of [
  [100, 100],
  [100, 1000],
  [1000, 100],
  [1000, 1000],
  [1000, 1],
] as const) {
  const batch = plainBatch({ count, valueBytes, keyBytes: -1, headers: 0 });
  encoder.begin();
  encoder.partition("orders", 0);
  encoder.appendRange(batch, null, 0, count);
  const body = encoder.finish();
  await target.reset(0);
  const started = performance.now();
  const cpu = cpuMicros([target.pid]);
  const senders = Array.from({ length: CONNECTIONS }, async () => {
    while (performance.now() - started < BLAST_MS) {
      const response = await pool.request({ method: "POST", path: "/", body });
      await response.body.dump();
    }
  });
  await Promise.all(senders);
  const seconds = (performance.now() - started) / 1000;
  const { calls, records } = await target.report();
  const perCall = (cpuMicros([target.pid]) - cpu) / calls;
  process.stdout.write(
    `${target.kind} ${count} × ${valueBytes} B: ${Math.round(calls / seconds)} calls/s, ` +
      `${Math.round(records / seconds)} records/s, function ${perCall.toFixed(1)} µs of CPU a call\n`,
  );
}
await pool.close();
await target.stop();
