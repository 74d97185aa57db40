import { write, writeSync } from "node:fs";
import { LOG_BUFFER_BYTES_DEFAULT, type LogOutput, lossLine } from "./log-output.ts";

/**
 * Log output to a file or a terminal. Node writes to those in the calling thread; this hands them to its thread pool instead, one
 * write at a time, so that a slow disk or a terminal on hold doesn't stop the event loop.
 */
export class FileOutput implements LogOutput {
  readonly #descriptor: number;
  readonly #bytesMax: number;
  #waiting: string[] = [];
  #waitingBytes = 0;
  #writingBytes = 0;
  #droppedLines = 0;
  #reportedDrops = 0;
  #idleWaiters: (() => void)[] = [];

  constructor(descriptor: number, bytesMax = LOG_BUFFER_BYTES_DEFAULT) {
    this.#descriptor = descriptor;
    this.#bytesMax = bytesMax;
  }

  get droppedLines(): number {
    return this.#droppedLines;
  }

  get bufferedBytes(): number {
    return this.#waitingBytes + this.#writingBytes;
  }

  write(line: string): void {
    if (this.bufferedBytes + line.length > this.#bytesMax) {
      this.#droppedLines++;
      return;
    }
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
    // The next turn, so that the lines of this one share a write.
    if (this.#writingBytes === 0 && this.#waiting.length === 1) setImmediate(() => this.#next());
  }

  flushNow(): void {
    const chunk = Buffer.from(this.#waiting.join(""));
    this.#waiting = [];
    this.#waitingBytes = 0;
    try {
      for (let at = 0; at < chunk.length; ) at += writeSync(this.#descriptor, chunk, at);
    } catch {
      // The process ends; there is nowhere left to report to.
    }
  }

  flush(limitMs: number): Promise<void> {
    if (this.bufferedBytes === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, limitMs);
      this.#idleWaiters.push(() => {
        clearTimeout(timer);
        resolve();
      });
    });
  }

  #next(): void {
    if (this.#writingBytes > 0) return;
    const chunk = Buffer.from(this.#waiting.join(""));
    this.#waiting = [];
    this.#waitingBytes = 0;
    if (chunk.length === 0) {
      this.#becomeIdle();
      return;
    }
    this.#writingBytes = chunk.length;
    this.#write(chunk);
  }

  #write(chunk: Buffer): void {
    write(this.#descriptor, chunk, (error, written) => {
      if (error === null && written < chunk.length) {
        this.#write(chunk.subarray(written));
        return;
      }
      this.#writingBytes = 0;
      // A loss is reported after a write that worked: otherwise a full disk would make reports of failed reports for ever.
      if (error === null) this.#reportLoss();
      else this.#droppedLines++;
      this.#next();
    });
  }

  #reportLoss(): void {
    const dropped = this.#droppedLines - this.#reportedDrops;
    if (dropped === 0) return;
    this.#reportedDrops = this.#droppedLines;
    const line = lossLine(dropped);
    this.#waiting.push(line);
    this.#waitingBytes += line.length;
  }

  #becomeIdle(): void {
    const waiters = this.#idleWaiters;
    this.#idleWaiters = [];
    for (const resolve of waiters) resolve();
  }
}
