import type { Logger } from "../logs/logger.ts";
import { WatchedFiles } from "./watched-files.ts";

export interface FileGroupOptions {
  readonly log: Logger;
  /** Between looks at the files. */
  readonly intervalMs?: number | undefined;
}

/** The watched files of one process, closed together. */
export class FileGroup {
  readonly #options: FileGroupOptions;
  readonly #open: { close(): void }[] = [];

  constructor(options: FileGroupOptions) {
    this.#options = options;
  }

  async open<T>(
    what: string,
    paths: readonly string[],
    parse: (texts: readonly string[]) => T,
    onChange: (value: T) => void = () => {},
  ): Promise<WatchedFiles<T>> {
    const { log, intervalMs } = this.#options;
    const interval = intervalMs === undefined ? {} : { intervalMs };
    const files = await WatchedFiles.open({ what, paths, parse, log, onChange, ...interval });
    this.#open.push(files);
    return files;
  }

  close(): void {
    for (const files of this.#open) files.close();
  }
}
