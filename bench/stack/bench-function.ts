/** The function that batches are sent to, as a process, and what it has seen. */
import { execFileSync } from "node:child_process";
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { Child } from "./child.ts";
import type { FunctionReport } from "./function-report.ts";

const BENCH_FOLDER = join(import.meta.dirname, "..");
const BINARY = join(BENCH_FOLDER, "..", ".cache", "bench", "function");

export interface BenchFunction {
  readonly url: string;
  readonly kind: "go" | "node";
  readonly pid: number;
  /** Forgets what was seen; each call takes `delayMs` from now on. */
  reset(delayMs: number): Promise<void>;
  report(): Promise<FunctionReport>;
  stop(): Promise<void>;
}

export async function startBenchFunction(): Promise<BenchFunction> {
  const binary = buildGo();
  const child =
    binary === null
      ? new Child({
          name: "function",
          command: process.execPath,
          arguments: [join(BENCH_FOLDER, "functions", "node", "function.ts")],
        })
      : new Child({ name: "function", command: binary, arguments: [] });
  const line = await child.line((text) => text.startsWith('{"port"'));
  const { port } = JSON.parse(line) as { port: number };
  const url = `http://127.0.0.1:${port}/`;
  return {
    url,
    kind: binary === null ? "node" : "go",
    pid: child.pid,
    async reset(delayMs) {
      await (await fetch(`${url}reset?delay_ms=${delayMs}`, { method: "POST" })).text();
    },
    async report() {
      return (await (await fetch(`${url}report`)).json()) as FunctionReport;
    },
    stop: () => child.stop(),
  };
}

/** Builds the Go function when a toolchain is there (a second, cached); null otherwise. */
function buildGo(): string | null {
  mkdirSync(join(BINARY, ".."), { recursive: true });
  try {
    execFileSync("go", ["build", "-o", BINARY, "."], {
      cwd: join(BENCH_FOLDER, "functions", "go"),
      stdio: "pipe",
    });
    return BINARY;
  } catch (error) {
    // No toolchain: the lean Node function stands in. A build that fails is an error.
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}
