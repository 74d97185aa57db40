import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Meter } from "@opentelemetry/api";
import { droppedLogLines } from "../logs/standard-output.ts";
import { observeMetric } from "./instruments.ts";
import { METRICS } from "./metric-names.ts";

const NANOSECONDS = 1e9;
const MICROSECONDS = 1e6;
const RESOLUTION_MS = 20;

/** What every process reports of itself. @returns ends it */
export function observeProcess(meter: Meter): () => void {
  const delay = monitorEventLoopDelay({ resolution: RESOLUTION_MS });
  delay.enable();
  observeMetric(meter, METRICS.logDroppedLines, droppedLogLines);
  observeMetric(meter, METRICS.residentBytes, () => process.memoryUsage.rss());
  observeMetric(meter, METRICS.cpuSeconds, cpuSeconds);
  observeMetric(meter, METRICS.eventLoopDelaySeconds, () => longestDelay(delay));
  return () => delay.disable();
}

function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / MICROSECONDS;
}

/** The histogram counts the sampling interval itself as delay. */
function longestDelay(delay: ReturnType<typeof monitorEventLoopDelay>): number {
  const seconds = Math.max(0, delay.max / NANOSECONDS - RESOLUTION_MS / 1000);
  delay.reset();
  return seconds;
}
