/**
 * One server program as a child process: start, wait until ready, stop politely, kill, pause, resume.
 *
 * The child never outlives this process (watchdog). Its last lines of output are kept, so that a failed
 * start can say why.
 */
import { type ChildProcess, spawn } from "node:child_process";
import { rmSync } from "node:fs";
import { createInterface } from "node:readline";
import { setTimeout as delay } from "node:timers/promises";
import { PenstockError } from "@penstock/core";
import { livingPid, recordPid } from "./pid-file.ts";
import { childrenOf } from "./process-table.ts";
import { type FarewellSignal, guardChild } from "./watchdog.ts";

export interface ServerProcessOptions {
  /** What messages call it. */
  name: string;
  command: string;
  arguments: readonly string[];
  cwd?: string;
  env?: NodeJS.ProcessEnv;
  /** Run as another user; needs root. */
  user?: { uid: number; gid: number } | undefined;
  farewell: FarewellSignal;
  /** Signal of a polite stop, and how long it may take before SIGKILL. */
  stopSignal: NodeJS.Signals;
  stopLimitMs: number;
  /** Where to write down the process, so that a later run can end it if we can't. */
  pidFile?: string | undefined;
  /** Every line of standard output and standard error, and whether it came from the latter. */
  onLine?: ((line: string, isError: boolean) => void) | undefined;
}

const LINES_KEPT_MAX = 30;
const POLL_MS = 15;

export class ServerProcess {
  readonly name: string;
  readonly pid: number;
  readonly exited: Promise<void>;
  readonly #child: ChildProcess;
  readonly #options: ServerProcessOptions;
  readonly #lines: string[] = [];
  #hasExited = false;

  constructor(options: ServerProcessOptions) {
    this.#options = options;
    this.name = options.name;
    const child = spawn(options.command, [...options.arguments], {
      stdio: ["ignore", "pipe", "pipe"],
      // A session of its own: Ctrl-C in the terminal reaches us alone, and we stop things in order.
      detached: true,
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      ...(options.env === undefined ? {} : { env: options.env }),
      ...options.user,
    });
    this.#child = child;
    this.exited = new Promise((resolve) => {
      const end = (): void => {
        this.#hasExited = true;
        resolve();
      };
      child.once("exit", end);
      child.once("error", (cause) => {
        this.#keep(cause.message, true);
        end();
      });
    });
    guardChild(child, options.farewell);
    for (const stream of [child.stdout, child.stderr]) {
      if (stream === null) continue;
      const isError = stream === child.stderr;
      createInterface({ input: stream }).on("line", (line) => this.#keep(line, isError));
    }
    this.pid = child.pid ?? -1;
    this.#recordPid();
  }

  get hasExited(): boolean {
    return this.#hasExited;
  }

  /** The last lines of output, oldest first. */
  get lastLines(): readonly string[] {
    return this.#lines;
  }

  /** Asks `isReady` again and again until it says true. Throws when the process ends or the limit passes first. */
  async ready(isReady: () => Promise<boolean> | boolean, limitMs: number): Promise<void> {
    const deadline = performance.now() + limitMs;
    while (!(await isReady())) {
      if (this.#hasExited) throw this.#failure("ended during its start");
      if (performance.now() > deadline) {
        this.kill();
        throw this.#failure(`was not ready within ${limitMs / 1000} s`);
      }
      await delay(POLL_MS);
    }
  }

  /** Polite stop; SIGKILL after the limit. Safe to call again, and for a process that has gone. */
  async stop(): Promise<void> {
    if (this.#hasExited) return;
    this.#child.kill(this.#options.stopSignal);
    this.resume(); // a paused process can't hear a polite signal
    const timer = setTimeout(() => this.kill(), this.#options.stopLimitMs);
    await this.exited;
    clearTimeout(timer);
  }

  /** SIGKILL to the process and its children, as a crash of the machine would. */
  kill(): void {
    this.#signalTree("SIGKILL");
  }

  /** SIGSTOP to the process and its children. */
  pause(): void {
    this.#signalTree("SIGSTOP");
  }

  /** SIGCONT to the process and its children. */
  resume(): void {
    this.#signalTree("SIGCONT");
  }

  #recordPid(): void {
    const { pidFile, farewell } = this.#options;
    if (pidFile === undefined || this.pid < 0) return;
    recordPid(pidFile, this.pid, farewell);
    void this.exited.then(() => {
      // A restarted part has written its own file by now, perhaps.
      if (livingPid(pidFile) === undefined) rmSync(pidFile, { force: true });
    });
  }

  #signalTree(signal: NodeJS.Signals): void {
    if (this.#hasExited || this.pid < 0) return;
    const children = childrenOf(this.pid);
    for (const pid of [this.pid, ...children]) {
      try {
        process.kill(pid, signal);
      } catch {
        // It ended between the look and the signal.
      }
    }
  }

  #keep(line: string, isError: boolean): void {
    this.#lines.push(line);
    if (this.#lines.length > LINES_KEPT_MAX) this.#lines.shift();
    this.#options.onLine?.(line, isError);
  }

  #failure(what: string): PenstockError {
    return new PenstockError("unavailable", `${this.name} ${what}:\n${this.#lines.join("\n")}`);
  }
}
