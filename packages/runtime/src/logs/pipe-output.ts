import type { Writable } from "node:stream";
import { LOG_BUFFER_BYTES_DEFAULT, type LogOutput, lossLine } from "./log-output.ts";

/**
 * Log output to a pipe or a socket, which Node writes without blocking. Lines of one turn of the event loop go out in one system call.
 */
export class PipeOutput implements LogOutput {
  readonly #stream: Writable;
  readonly #bytesMax: number;
  #droppedLines = 0;
  #reportedDrops = 0;
  #isCorked = false;
  #isBroken = false;

  constructor(stream: Writable, bytesMax = LOG_BUFFER_BYTES_DEFAULT) {
    this.#stream = stream;
    this.#bytesMax = bytesMax;
    // The reader is gone (EPIPE): there is nobody to tell.
    stream.on("error", () => {
      this.#isBroken = true;
    });
    stream.on("drain", () => this.#reportLoss());
  }

  get droppedLines(): number {
    return this.#droppedLines;
  }

  get bufferedBytes(): number {
    return this.#stream.writableLength;
  }

  write(line: string): void {
    if (this.#isBroken || this.#stream.writableLength + line.length > this.#bytesMax) {
      this.#droppedLines++;
      return;
    }
    if (!this.#isCorked) {
      this.#isCorked = true;
      this.#stream.cork();
      process.nextTick(() => this.flushNow());
    }
    // There is room again. Under constant load the stream never drains, so this is not left to that event alone.
    const loss = this.#takeLoss();
    this.#stream.write(loss === null ? line : loss + line);
  }

  flushNow(): void {
    if (!this.#isCorked) return;
    this.#isCorked = false;
    this.#stream.uncork();
  }

  flush(limitMs: number): Promise<void> {
    this.flushNow();
    if (this.#isBroken || this.#stream.writableLength === 0) return Promise.resolve();
    return new Promise((resolve) => {
      const done = (): void => {
        clearTimeout(timer);
        this.#stream.off("drain", done);
        this.#stream.off("error", done);
        resolve();
      };
      const timer = setTimeout(done, limitMs);
      this.#stream.once("error", done);
      // Called in order, after everything that waits now.
      this.#stream.write("", done);
    });
  }

  #reportLoss(): void {
    const loss = this.#takeLoss();
    if (loss !== null) this.#stream.write(loss);
  }

  #takeLoss(): string | null {
    const dropped = this.#droppedLines - this.#reportedDrops;
    if (dropped === 0) return null;
    this.#reportedDrops = this.#droppedLines;
    return lossLine(dropped);
  }
}
