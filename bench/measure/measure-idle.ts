import { setTimeout as delay } from "node:timers/promises";
import { createAdmin } from "@penstock/kafka";
import type { Running } from "../contenders/contender.ts";
import { cpuMicros, rssMib } from "../stack/process-usage.ts";
import type { Workload } from "../workloads.ts";
import type { IdleResult } from "./run-result.ts";

const SETTLE_MS = 15_000;
const MEASURED_MS = 20_000;

/** What event pollers cost that have nothing to do: processor time and memory over the process without them. */
export async function measureIdle(
  workload: Workload,
  contender: string,
  running: Running,
  group: { readonly group: string; readonly bootstrapServers: string },
): Promise<IdleResult> {
  await delay(SETTLE_MS);
  const cpuShareBefore = await cpuShare(running);
  const rssMibBefore = rssMib(running.pids);
  await running.go();
  await delay(2 * SETTLE_MS);
  const admin = createAdmin({ bootstrapServers: [group.bootstrapServers] });
  const { members } = await admin.describeGroup(group.group);
  await admin.close();
  return {
    members: members.length,
    workload: workload.name,
    contender,
    cpuShareBefore,
    rssMibBefore,
    cpuShare: await cpuShare(running),
    rssMib: rssMib(running.pids),
  };
}

async function cpuShare(running: Running): Promise<number> {
  const [cpu, started] = [cpuMicros(running.pids), performance.now()];
  await delay(MEASURED_MS);
  return (cpuMicros(running.pids) - cpu) / ((performance.now() - started) * 1000);
}
