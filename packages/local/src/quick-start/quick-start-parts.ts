/** The parts of the quick start: which program each one is, what it is told, where its output goes. */
import { join } from "node:path";
import type { LocalKafka } from "../kafka/local-kafka.ts";
import { startKafka } from "../kafka/start-kafka.ts";
import { type LocalPostgres, startPostgres } from "../postgres/start-postgres.ts";
import { pidFile } from "../process/pid-file.ts";
import { processPart } from "../process/process-part.ts";
import type { Part } from "../process/supervisor.ts";
import { REPOSITORY_ROOT } from "../repository-root.ts";
import { PartLog } from "./screen/part-log.ts";
import type { Screen } from "./screen/screen.ts";
import { isReadyLine, problemLine } from "./screen/service-lines.ts";

const READY_LIMIT_MS = 60_000;
/** A service ends by itself within PENSTOCK_SHUTDOWN_DEADLINE_MS (30 s). */
const SERVICE_STOP_LIMIT_MS = 35_000;
const FUNCTION_STOP_LIMIT_MS = 3_000;
/** A part that complains without end shows one complaint in this time; all of them are in its log file. */
const PROBLEM_INTERVAL_MS = 5_000;

export interface PartFolders {
  run: string;
  logs: string;
  data: string;
}

export function postgresPart(
  folders: PartFolders,
  port: number,
  say: (line: string) => void,
): { part: Part; server: () => LocalPostgres } {
  const log = new PartLog(folders.logs, "postgres");
  let server: LocalPostgres | undefined;
  return {
    server: () => started(server),
    part: {
      name: "Postgres",
      async launch() {
        if (server !== undefined) await server.restart();
        server ??= await startPostgres({
          dataDir: join(folders.data, "postgres"),
          port,
          pidFile: pidFile(folders.run, "postgres"),
          log: (line) => (line.startsWith("The user that runs") ? say(line) : log.write(line)),
        });
        return server;
      },
    },
  };
}

export function kafkaPart(
  folders: PartFolders,
  port: number,
): { part: Part; server: () => LocalKafka } {
  const log = new PartLog(folders.logs, "kafka");
  let server: LocalKafka | undefined;
  return {
    server: () => started(server),
    part: {
      name: "Kafka",
      async launch() {
        if (server !== undefined) await server.restart();
        server ??= await startKafka({
          dataDir: join(folders.data, "kafka"),
          port,
          heapMb: 256,
          pidFile: pidFile(folders.run, "kafka"),
          log: (line) => log.write(line),
        });
        return server;
      },
    },
  };
}

export interface ServicePartOptions {
  name: string;
  folders: PartFolders;
  env: NodeJS.ProcessEnv;
  screen: Screen;
}

/** `services/<name>` as a process. */
export function servicePart({ name, folders, env, screen }: ServicePartOptions): Part {
  const log = new PartLog(folders.logs, name);
  let lastProblemAt = Number.NEGATIVE_INFINITY;
  return processPart({
    name,
    command: process.execPath,
    arguments: [join(REPOSITORY_ROOT, "services", name, "src", "main.ts")],
    env,
    pidFile: pidFile(folders.run, name),
    stopLimitMs: SERVICE_STOP_LIMIT_MS,
    readyLimitMs: READY_LIMIT_MS,
    isReadyLine,
    onLine(line) {
      log.write(line);
      const problem = problemLine(line);
      if (problem === undefined || performance.now() - lastProblemAt < PROBLEM_INTERVAL_MS) return;
      lastProblemAt = performance.now();
      screen.event(name, `! ${problem}`);
    },
  });
}

export interface FunctionPartOptions {
  name: string;
  /** In examples/functions/typescript. */
  file: string;
  port: number;
  folders: PartFolders;
  env: NodeJS.ProcessEnv;
  onDelivery: (line: string) => void;
}

/** An example function as a process: what it prints, but for its first line, are deliveries. */
export function functionPart(options: FunctionPartOptions): Part {
  const { name, file, port, folders, env, onDelivery } = options;
  const isReadyLine = (line: string): boolean => line.startsWith("listening on ");
  return processPart({
    name,
    command: process.execPath,
    arguments: [join(REPOSITORY_ROOT, "examples", "functions", "typescript", file)],
    env: { ...env, HOST: "127.0.0.1", PORT: String(port) },
    pidFile: pidFile(folders.run, name),
    stopLimitMs: FUNCTION_STOP_LIMIT_MS,
    readyLimitMs: READY_LIMIT_MS,
    isReadyLine,
    onLine: (line) => (isReadyLine(line) ? undefined : onDelivery(line)),
  });
}

function started<T>(server: T | undefined): T {
  if (server === undefined) throw new TypeError("asked for a server before its start");
  return server;
}
