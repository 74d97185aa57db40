/**
 * Files that are read at the start and again whenever they change, such as certificates and credentials.
 *
 *     open ──read, parse──▶ value ──changed──▶ read, parse ─┬─▶ new value
 *                             ▲                             └─ bad: the old value stays, one warning for each bad version
 *                             └─────────────────────────────────┘
 *
 * What is always true: `value` is whole and was good when it was read; a file that is replaced by a rename or behind a symbolic link
 * (as Kubernetes does) is noticed within the interval; nothing keeps the process alive.
 */
import type { BigIntStats } from "node:fs";
import { readFile, stat } from "node:fs/promises";
import { PenstockError } from "@penstock/core";
import type { Logger } from "../logs/logger.ts";

export interface WatchedFilesOptions<T> {
  /** What they are, for messages: `The <what> <path> can't be read`. */
  readonly what: string;
  readonly paths: readonly string[];
  /** From the texts, in the order of the paths. Throws a PenstockError whose message shows nothing secret. */
  readonly parse: (texts: readonly string[]) => T;
  readonly log: Logger;
  /** Default 1 s. */
  readonly intervalMs?: number;
  readonly onChange?: (value: T) => void;
}

const WATCHED_FILE_BYTES_MAX = 4 * 1024 * 1024;
const INTERVAL_MS = 1000;

export class WatchedFiles<T> {
  readonly #options: WatchedFilesOptions<T>;
  readonly #timer: NodeJS.Timeout;
  #value: T;
  #version: string;
  #isChecking = false;

  private constructor(options: WatchedFilesOptions<T>, value: T, version: string) {
    this.#options = options;
    this.#value = value;
    this.#version = version;
    this.#timer = setInterval(() => void this.#check(), options.intervalMs ?? INTERVAL_MS);
    this.#timer.unref();
  }

  /** @throws PenstockError `invalidArgument` when a file can't be read or what is in it isn't good */
  static async open<T>(options: WatchedFilesOptions<T>): Promise<WatchedFiles<T>> {
    const version = await versionOf(options);
    return new WatchedFiles(options, options.parse(await readAll(options)), version);
  }

  get value(): T {
    return this.#value;
  }

  close(): void {
    clearInterval(this.#timer);
  }

  async #check(): Promise<void> {
    if (this.#isChecking) return;
    this.#isChecking = true;
    const { log, what, paths } = this.#options;
    try {
      const version = await versionOf(this.#options).catch((error: unknown) => String(error));
      if (version === this.#version) return;
      this.#version = version;
      this.#value = this.#options.parse(await readAll(this.#options));
      log.info(`the ${what} was read again`, { paths });
      this.#options.onChange?.(this.#value);
    } catch (error) {
      log.warn(`the ${what} has changed and is not good; the one before stays in use`, {
        paths,
        error,
      });
    } finally {
      this.#isChecking = false;
    }
  }
}

async function versionOf<T>(options: WatchedFilesOptions<T>): Promise<string> {
  const versions: string[] = [];
  for (const path of options.paths) {
    let found: BigIntStats;
    try {
      found = await stat(path, { bigint: true });
    } catch (cause) {
      throw unusable(options, path, "can't be read", cause);
    }
    if (found.size > WATCHED_FILE_BYTES_MAX) {
      throw unusable(options, path, `must have at most ${WATCHED_FILE_BYTES_MAX} bytes`);
    }
    versions.push(`${found.dev}:${found.ino}:${found.size}:${found.mtimeNs}`);
  }
  return versions.join(" ");
}

function readAll<T>(options: WatchedFilesOptions<T>): Promise<string[]> {
  return Promise.all(
    options.paths.map((path) =>
      readFile(path, "utf8").catch((cause: unknown) => {
        throw unusable(options, path, "can't be read", cause);
      }),
    ),
  );
}

function unusable<T>(
  { what }: WatchedFilesOptions<T>,
  path: string,
  problem: string,
  cause?: unknown,
): PenstockError {
  return new PenstockError("invalidArgument", `The ${what} ${path} ${problem}.`, { cause });
}
