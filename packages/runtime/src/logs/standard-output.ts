import { fstatSync } from "node:fs";
import { FileOutput } from "./file-output.ts";
import type { LogOutput } from "./log-output.ts";
import { PipeOutput } from "./pipe-output.ts";

const STDOUT = 1;
let output: LogOutput | null = null;

/**
 * The process's standard output for log lines; all loggers of a process share it. The first caller sets the bound.
 */
export function standardOutput(bytesMax?: number): LogOutput {
  output ??= isPipe() ? new PipeOutput(process.stdout, bytesMax) : new FileOutput(STDOUT, bytesMax);
  return output;
}

/** Log lines that this process dropped. */
export function droppedLogLines(): number {
  return output?.droppedLines ?? 0;
}

function isPipe(): boolean {
  try {
    const status = fstatSync(STDOUT);
    return status.isFIFO() || status.isSocket();
  } catch {
    // Closed: writes fail either way and are counted as dropped.
    return false;
  }
}
