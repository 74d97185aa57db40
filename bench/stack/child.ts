/** A child process of the benchmark: its first line that matters, its end, its usage. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";

const LINES_KEPT_MAX = 40;
const STOP_LIMIT_MS = 40_000;

export interface ChildOptions {
  readonly name: string;
  readonly command: string;
  readonly arguments: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
  /** Every line of standard output is also written to this stream's end of file, when given. */
  readonly onLine?: (line: string) => void;
}

export class Child {
  readonly name: string;
  readonly pid: number;
  readonly #process: ChildProcess;
  readonly #lines: string[] = [];
  #waiting: { match: (line: string) => boolean; resolve: (line: string) => void } | null = null;

  constructor(options: ChildOptions) {
    this.name = options.name;
    this.#process = spawn(options.command, [...options.arguments], {
      stdio: ["pipe", "pipe", "pipe"],
      env: options.env ?? process.env,
    });
    this.pid = this.#process.pid ?? -1;
    for (const stream of [this.#process.stdout, this.#process.stderr]) {
      if (stream === null) continue;
      createInterface({ input: stream }).on("line", (line) => {
        this.#lines.push(line);
        if (this.#lines.length > LINES_KEPT_MAX) this.#lines.shift();
        options.onLine?.(line);
        if (this.#waiting?.match(line)) {
          this.#waiting.resolve(line);
          this.#waiting = null;
        }
      });
    }
  }

  /** The first line from now on that `match` accepts. Rejects when the process ends first. */
  line(match: (line: string) => boolean): Promise<string> {
    return new Promise((resolve, reject) => {
      const onEnd = () =>
        reject(new Error(`${this.name} ended:\n${this.#lines.slice(-12).join("\n")}`));
      this.#process.once("exit", onEnd);
      const accept = (line: string) => {
        this.#process.off("exit", onEnd);
        resolve(line);
      };
      const present = this.#lines.find(match);
      if (present !== undefined) accept(present);
      else this.#waiting = { match, resolve: accept };
    });
  }

  write(line: string): void {
    this.#process.stdin?.write(`${line}\n`);
  }

  get hasEnded(): boolean {
    return this.#process.exitCode !== null || this.#process.signalCode !== null;
  }

  get lastLines(): readonly string[] {
    return this.#lines;
  }

  async stop(): Promise<void> {
    if (this.hasEnded) return;
    const ended = once(this.#process, "exit");
    this.#process.kill("SIGTERM");
    const timer = setTimeout(() => this.#process.kill("SIGKILL"), STOP_LIMIT_MS);
    await ended;
    clearTimeout(timer);
  }
}
