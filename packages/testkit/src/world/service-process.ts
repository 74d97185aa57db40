import { type ChildProcess, spawn } from "node:child_process";
import { appendFileSync } from "node:fs";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { guardChild, REPOSITORY_ROOT } from "@penstock/local";
import { keepMetrics } from "../canary/keep-answers.ts";
import { keptFile } from "../canary/run-folder.ts";

/** What a service says of itself when its listeners are up. */
export interface ReadyLine {
  readonly grpc: string;
  readonly http: string;
  readonly id: string;
}

const READY_MS_MAX = 90_000;

/**
 * A service as the process that a user would run, from its `main.ts`. It can be killed, paused and told to stop; its log lines are
 * kept for a failing test.
 */
export class ServiceProcess {
  readonly name: string;
  readonly ready: ReadyLine;
  /** Exit code, or the negative signal number's name, once it ended. */
  readonly ended: Promise<number | string>;
  readonly logLines: string[];
  readonly #child: ChildProcess;

  private constructor(
    name: string,
    child: ChildProcess,
    ready: ReadyLine,
    ended: Promise<number | string>,
    logLines: string[],
  ) {
    this.name = name;
    this.#child = child;
    this.ready = ready;
    this.ended = ended;
    this.logLines = logLines;
  }

  /** Starts `services/<name>/src/main.ts` and waits until it is ready. */
  static start(name: string, env: Readonly<Record<string, string>>): Promise<ServiceProcess> {
    const main = join(REPOSITORY_ROOT, "services", name, "src", "main.ts");
    const child = spawn(process.execPath, [main], {
      env: { PATH: process.env.PATH, HOME: process.env.HOME, ...env },
      stdio: ["ignore", "pipe", "pipe"],
    });
    // A test run that is cut off leaves nothing behind.
    guardChild(child, "TERM");
    const logLines: string[] = [];
    const kept = keptFile("logs", `${name}-${child.pid}`);
    const ended = new Promise<number | string>((resolve) => {
      child.once("exit", (code, signal) => resolve(code ?? String(signal)));
    });
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => fail("was not ready in time"), READY_MS_MAX);
      function fail(why: string): void {
        child.kill("SIGKILL");
        reject(new Error(`${name} ${why}:\n${logLines.slice(-20).join("\n")}`));
      }
      const onLine = (line: string): void => {
        if (kept !== null) appendFileSync(kept, `${line}\n`);
        logLines.push(line);
        if (logLines.length > LOG_LINES_MAX) logLines.shift();
        const ready = readyLine(line);
        if (ready === null) return;
        clearTimeout(timer);
        resolve(new ServiceProcess(name, child, ready, ended, logLines));
      };
      for (const stream of [child.stdout, child.stderr]) {
        if (stream !== null) createInterface({ input: stream }).on("line", onLine);
      }
      void ended.then((code) => {
        clearTimeout(timer);
        fail(`ended with ${code}`);
      });
    });
  }

  get pid(): number {
    return this.#child.pid as number;
  }

  get hasEnded(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** SIGKILL; resolves when it is gone. */
  async kill(): Promise<void> {
    this.#child.kill("SIGKILL");
    await this.ended;
  }

  pause(): void {
    this.#child.kill("SIGSTOP");
  }

  resume(): void {
    this.#child.kill("SIGCONT");
  }

  /** Nobody reads its log any more, until `readLogs`. */
  stallLogs(): void {
    this.#child.stdout?.pause();
  }

  readLogs(): void {
    this.#child.stdout?.resume();
  }

  /** SIGTERM; resolves with the exit code. */
  async stop(): Promise<number | string> {
    await keepMetrics(this);
    this.#child.kill("SIGTERM");
    return await this.ended;
  }
}

const LOG_LINES_MAX = 2000;

function readyLine(line: string): ReadyLine | null {
  // Of standalone, only the whole counts.
  if (!line.includes('"msg":"ready"') || line.includes('"part":')) return null;
  return JSON.parse(line) as ReadyLine;
}
