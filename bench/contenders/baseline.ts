import { join } from "node:path";
import { Child } from "../stack/child.ts";
import type { Contender } from "./contender.ts";

const LOOP = join(import.meta.dirname, "..", "baseline", "loop.ts");

/** The loop that a user would write: `baseline/loop.ts`. */
export const baseline: Contender = {
  name: "loop",
  runs: (workload) => workload.kind !== "idle",
  async start(task) {
    const child = new Child({
      name: "loop",
      command: process.execPath,
      arguments: [...task.nodeFlags, LOOP],
      env: {
        ...process.env,
        BENCH_BROKERS: task.bootstrapServers,
        BENCH_TOPIC: task.topic,
        BENCH_GROUP: task.group,
        BENCH_BATCH_SIZE: String(task.workload.batchSize),
        BENCH_PARTITIONS: String(task.workload.partitions),
        BENCH_FUNCTION_URL: task.functionUrl,
      },
    });
    await child.line((line) => line.includes('"ready"'));
    return {
      pids: [child.pid],
      async go() {
        child.write("go");
      },
      lastLines: () => child.lastLines,
      stop: () => child.stop(),
    };
  },
};
