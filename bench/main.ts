/**
 * Penstock beside the loop that a user would write, on a real Kafka, in one session: `npm run bench`. See README.md.
 *
 * The contenders alternate (loop, standalone, three processes, loop, …), so that whatever else the machine does falls on all of
 * them; each run has a process, a consumer group and a database of its own; the topic of a workload is the same.
 */
import { randomUUID } from "node:crypto";
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { cpus, tmpdir, totalmem } from "node:os";
import { dirname, join, resolve } from "node:path";
import { type LocalKafka, type LocalPostgres, startKafka, startPostgres } from "@penstock/local";
import { type BenchOptions, parseBenchOptions } from "./bench-options.ts";
import { baseline } from "./contenders/baseline.ts";
import type { Contender, Running, Task } from "./contenders/contender.ts";
import { classic, kafkajs, standalone, threeProcesses } from "./contenders/penstock.ts";
import { measureBacklog } from "./measure/measure-backlog.ts";
import { measureIdle } from "./measure/measure-idle.ts";
import { measurePaced } from "./measure/measure-paced.ts";
import { printIdle, printSummaries, type Summary, summarise } from "./measure/print-results.ts";
import type { IdleResult, RunResult } from "./measure/run-result.ts";
import { type BenchFunction, startBenchFunction } from "./stack/bench-function.ts";
import { fillTopic } from "./stack/bench-topic.ts";
import type { Workload } from "./workloads.ts";

const CONTENDERS: readonly Contender[] = [baseline, standalone, threeProcesses, classic, kafkajs];
/** A broker as one would run it for speed, not the small quick one of the tests. */
const JVM_FLAGS = ["-XX:-UseSerialGC", "-XX:+UseG1GC", "-XX:TieredStopAtLevel=4"];

interface Bench {
  readonly options: BenchOptions;
  readonly kafka: LocalKafka;
  readonly postgres: LocalPostgres;
  readonly target: BenchFunction;
  readonly folder: string;
}

interface Results {
  readonly summaries: Summary[];
  readonly idle: IdleResult[];
  readonly runs: RunResult[];
}

async function main(): Promise<void> {
  const options = parseBenchOptions(process.argv.slice(2));
  const folder = mkdtempSync(join(tmpdir(), "penstock-bench-"));
  chmodSync(folder, 0o711);
  const [kafka, postgres, target] = await Promise.all([
    startKafka({ dataDir: join(folder, "kafka"), heapMb: 1024, jvmFlags: JVM_FLAGS }),
    startPostgres({ dataDir: join(folder, "postgres") }),
    startBenchFunction(),
  ]);
  const bench = { options, kafka, postgres, target, folder };
  const results: Results = { summaries: [], idle: [], runs: [] };
  try {
    for (const workload of options.workloads) {
      await runWorkload(bench, workload, results);
      writeResults(bench, results);
    }
  } finally {
    await Promise.all([target.stop(), kafka.stop(), postgres.stop()]);
    rmSync(folder, { recursive: true, force: true });
  }
}

async function runWorkload(bench: Bench, workload: Workload, results: Results): Promise<void> {
  const { options } = bench;
  const contenders = CONTENDERS.filter(
    ({ name, runs }) =>
      runs(workload) && (options.contenders.length === 0 || options.contenders.includes(name)),
  );
  const runs: RunResult[] = [];
  const idle: IdleResult[] = [];
  const shared = await newTopic(bench, workload);
  for (let run = 0; run < (workload.kind === "idle" ? 1 : options.runs); run++) {
    for (const contender of contenders) {
      const topic = workload.kind === "paced" ? await newTopic(bench, workload) : shared;
      const task = taskOf(bench, workload, contender, topic);
      const running = await contender.start(task);
      try {
        if (workload.kind === "idle") {
          idle.push(await measureIdle(workload, contender.name, running, task));
        } else {
          const result = await measureOnce(bench, workload, contender.name, running, topic);
          runs.push(result);
          process.stderr.write(`${JSON.stringify(result)}\n`);
        }
      } finally {
        await running.stop();
      }
    }
  }
  if (workload.kind === "idle") {
    printIdle(workload, idle);
    results.idle.push(...idle);
    return;
  }
  const summaries = summarise(runs, baseline.name);
  printSummaries(workload, summaries);
  results.summaries.push(...summaries);
  results.runs.push(...runs);
}

function measureOnce(
  bench: Bench,
  workload: Workload,
  contender: string,
  running: Running,
  topic: string,
): Promise<RunResult> {
  const { target, kafka } = bench;
  if (workload.kind === "backlog") return measureBacklog(workload, contender, running, target);
  const { bootstrapServers } = kafka;
  return measurePaced(workload, contender, running, target, { topic, bootstrapServers });
}

async function newTopic(bench: Bench, workload: Workload): Promise<string> {
  const topic = `${workload.name}-${randomUUID().slice(0, 8)}`;
  await fillTopic(bench.kafka.bootstrapServers, {
    topic,
    partitions: workload.partitions,
    records: workload.kind === "backlog" ? workload.records : 0,
    valueBytes: workload.valueBytes,
  });
  return topic;
}

function taskOf(bench: Bench, workload: Workload, contender: Contender, topic: string): Task {
  const id = randomUUID().replaceAll("-", "");
  const { profileDir } = bench.options;
  const profiles = join(profileDir ?? "", `${workload.name}-${contender.name.replace(" ", "-")}`);
  return {
    workload,
    topic,
    bootstrapServers: bench.kafka.bootstrapServers,
    group: `bench-${id}`,
    functionUrl: bench.target.url,
    databaseUrl: () => bench.postgres.createDatabase(`bench_${id}`),
    dataDir: join(bench.folder, `data-${id}`),
    nodeFlags: profileDir === null ? [] : ["--cpu-prof", `--cpu-prof-dir=${profiles}`],
  };
}

function writeResults(bench: Bench, results: Results): void {
  const out = resolve(bench.options.out);
  mkdirSync(dirname(out), { recursive: true });
  const machine = {
    cpu: cpus()[0]?.model ?? "",
    cores: cpus().length,
    memoryGib: Math.round(totalmem() / 2 ** 30),
    node: process.version,
    function: bench.target.kind,
  };
  writeFileSync(out, `${JSON.stringify({ machine, ...results }, null, 2)}\n`);
}

await main();
