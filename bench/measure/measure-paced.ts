import { setTimeout as delay } from "node:timers/promises";
import { createProducer } from "@penstock/kafka";
import type { Running } from "../contenders/contender.ts";
import type { BenchFunction } from "../stack/bench-function.ts";
import { cpuMicros, peakRssMib } from "../stack/process-usage.ts";
import type { Workload } from "../workloads.ts";
import { countsOf, untilDelivered } from "./measure-backlog.ts";
import type { RunResult } from "./run-result.ts";

const WARM_UP_RECORDS = 3000;
const TICK_MS = 2;

/** Produces at a steady rate and measures how long each record takes to the function. */
export async function measurePaced(
  workload: Workload,
  contender: string,
  running: Running,
  target: BenchFunction,
  topic: { readonly topic: string; readonly bootstrapServers: string },
): Promise<RunResult> {
  const producer = await createProducer({ bootstrapServers: [topic.bootstrapServers] });
  const value = Buffer.alloc(workload.valueBytes, "v");
  let partition = 0;

  async function produce(count: number): Promise<void> {
    const started = performance.now();
    const sends: Promise<void>[] = [];
    for (let sent = 0; sent < count; ) {
      await delay(TICK_MS);
      const due = ((performance.now() - started) * workload.recordsPerSecond) / 1000;
      for (; sent < Math.min(due, count); sent++) {
        const record = { value, partition: partition++ % workload.partitions };
        sends.push(producer.send(topic.topic, [{ ...record, timestampMs: Date.now() }]));
      }
    }
    await Promise.all(sends);
  }

  try {
    await target.reset(workload.delayMs);
    await running.go();
    await produce(WARM_UP_RECORDS);
    await untilDelivered(target, WARM_UP_RECORDS, running);
    await target.reset(workload.delayMs);
    const before = cpuMicros(running.pids);
    await produce(workload.records);
    await untilDelivered(target, workload.records, running);
    const cpu = cpuMicros(running.pids) - before;
    const report = await target.report();
    return {
      workload: workload.name,
      contender,
      recordsPerSecond: (report.records / (report.lastMs - report.firstMs)) * 1000,
      cpuMicrosPerRecord: cpu / workload.records,
      peakRssMib: peakRssMib(running.pids),
      p50Ms: report.p50Ms,
      p99Ms: report.p99Ms,
      ...countsOf(report, workload.records),
    };
  } finally {
    await producer.close();
  }
}
