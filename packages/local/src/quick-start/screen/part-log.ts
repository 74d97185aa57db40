/**
 * The output of one part in a file of its own, at most two files of 10 MiB. Lines are dropped rather than
 * held in memory when the disk doesn't keep up.
 */
import { createWriteStream, mkdirSync, renameSync, statSync, type WriteStream } from "node:fs";
import { join } from "node:path";

const FILE_BYTES_MAX = 10 * 1024 * 1024;
const WAITING_BYTES_MAX = 1024 * 1024;

export class PartLog {
  readonly path: string;
  #stream: WriteStream;
  #bytes: number;

  constructor(folder: string, name: string) {
    mkdirSync(folder, { recursive: true });
    this.path = join(folder, `${name}.log`);
    this.#bytes = sizeOf(this.path);
    this.#stream = this.#open();
  }

  write(line: string): void {
    if (this.#stream.writableLength > WAITING_BYTES_MAX) return;
    if (this.#bytes > FILE_BYTES_MAX) {
      this.#stream.end();
      renameSync(this.path, `${this.path}.1`);
      this.#stream = this.#open();
      this.#bytes = 0;
    }
    this.#bytes += line.length + 1;
    this.#stream.write(`${line}\n`);
  }

  #open(): WriteStream {
    const stream = createWriteStream(this.path, { flags: "a" });
    stream.on("error", () => {
      // A full disk must not stop the services; their own output still reaches this process.
    });
    return stream;
  }
}

function sizeOf(path: string): number {
  return statSync(path, { throwIfNoEntry: false })?.size ?? 0;
}
