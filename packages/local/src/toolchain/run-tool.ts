import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { PenstockError } from "@penstock/core";

export interface ToolOptions {
  readonly cwd?: string;
  /** Added to this process's environment. */
  readonly env?: Readonly<Record<string, string>>;
  readonly limitMs?: number;
}

const LIMIT_MS = 300_000;
const OUTPUT_BYTES_MAX = 16 * 1024 * 1024;
const LINES_SHOWN_MAX = 20;

/** Runs a program to its end and answers its standard output. Throws `unavailable` with its last lines when it fails. */
export async function runTool(
  command: string,
  args: readonly string[],
  options: ToolOptions = {},
): Promise<string> {
  try {
    const { stdout } = await promisify(execFile)(command, [...args], {
      ...(options.cwd === undefined ? {} : { cwd: options.cwd }),
      env: { ...process.env, ...options.env },
      timeout: options.limitMs ?? LIMIT_MS,
      maxBuffer: OUTPUT_BYTES_MAX,
    });
    return stdout;
  } catch (cause) {
    const { stdout = "", stderr = "", message } = cause as Error & Record<string, string>;
    const lines = `${stdout}\n${stderr}`.trim().split("\n").slice(-LINES_SHOWN_MAX).join("\n");
    throw new PenstockError(
      "unavailable",
      `${command} ${args.join(" ")} failed: ${lines === "" ? message : lines}`,
      { cause },
    );
  }
}
