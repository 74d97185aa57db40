/**
 * Where log lines go. What is always true: writing never blocks the event loop and never throws, and no more than a bounded number of
 * bytes waits for a reader that stalls. A line that doesn't fit is dropped and counted; when the reader is back, one line says how many
 * were lost. Crashing or slow log plumbing has no effect on records.
 */
export interface LogOutput {
  /** Takes one line, its newline included. */
  write(line: string): void;
  /** Lines dropped since the start. */
  readonly droppedLines: number;
  /** Bytes that wait to be written. */
  readonly bufferedBytes: number;
  /** Resolves when everything is written, or after `limitMs`. */
  flush(limitMs: number): Promise<void>;
  /** Hands what waits to the operating system without blocking on a stalled pipe; the process is about to end. */
  flushNow(): void;
}

export const LOG_BUFFER_BYTES_DEFAULT = 4 * 1024 * 1024;

/** The line that reports a loss; written by the output itself, since a logger would drop it again. */
export function lossLine(dropped: number): string {
  const fields = { level: "warn", time: new Date().toISOString(), msg: "log lines dropped" };
  return `${JSON.stringify({ ...fields, dropped })}\n`;
}
