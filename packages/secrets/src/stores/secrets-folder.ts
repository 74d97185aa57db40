import { constants, type FileHandle, open, realpath, stat } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { secretError, secretText } from "./secret-error.ts";
import { SECRET_BYTES_MAX } from "./secret-reader.ts";

/**
 * The folder of secrets on this machine. Nothing outside of it is ever opened: names come from parsed references, which can't climb, and where a
 * symbolic link leads is checked on the real path, so that links within the folder (as Kubernetes makes them) work and others don't.
 */
export class SecretsFolder {
  readonly #folder: string | null;

  /** `folder`: PENSTOCK_SECRETS_DIR; null when it is not set. */
  constructor(folder: string | null) {
    this.#folder = folder;
  }

  /** The text of the file; null when there is none. `uri` is what errors name. */
  async read(path: string, uri: string): Promise<string | null> {
    const real = await this.#locate(path, uri);
    if (real === null) return null;
    const file = await openFile(real, uri);
    if (file === null) return null;
    try {
      return secretText(uri, await readBounded(file, uri));
    } finally {
      await file.close();
    }
  }

  /** Whether there is a file of that name. */
  async has(path: string): Promise<boolean> {
    if (this.#folder === null) return false;
    return await stat(join(this.#folder, path)).then(
      (found) => found.isFile(),
      // Whatever keeps it from being seen shows again when it is read.
      () => false,
    );
  }

  /** The name that the links of a name lead to; null when there is no file in the folder behind it. */
  async realNameOf(path: string): Promise<string | null> {
    if (this.#folder === null) return null;
    try {
      const folder = await realpath(this.#folder);
      const real = await realpath(join(folder, path));
      return isBelow(folder, real) ? relative(folder, real) : null;
    } catch {
      // Whatever keeps it from being seen shows again when it is read.
      return null;
    }
  }

  async #locate(path: string, uri: string): Promise<string | null> {
    if (this.#folder === null) {
      throw secretError("secretMissing", uri, "needs PENSTOCK_SECRETS_DIR, which is not set");
    }
    try {
      const folder = await realpath(this.#folder);
      const real = await realpath(join(folder, path));
      if (isBelow(folder, real)) return real;
    } catch (error) {
      if (isAbsent(error)) return null;
      throw unreadable(uri, error);
    }
    throw secretError("secretMalformed", uri, "is a link that leads out of PENSTOCK_SECRETS_DIR");
  }
}

function isBelow(folder: string, real: string): boolean {
  return real.startsWith(folder.endsWith(sep) ? folder : folder + sep);
}

async function openFile(real: string, uri: string): Promise<FileHandle | null> {
  try {
    // The real path has no link at its end; should one appear in between, it is not followed. Opening a pipe must not wait for its writer.
    return await open(real, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK);
  } catch (error) {
    if (isAbsent(error)) return null;
    throw unreadable(uri, error);
  }
}

async function readBounded(file: FileHandle, uri: string): Promise<Buffer> {
  let found: Awaited<ReturnType<FileHandle["stat"]>>;
  const buffer = Buffer.alloc(SECRET_BYTES_MAX + 1);
  let length = 0;
  try {
    found = await file.stat();
    while (found.isFile() && length < buffer.length) {
      const { bytesRead } = await file.read(buffer, length, buffer.length - length);
      if (bytesRead === 0) break;
      length += bytesRead;
    }
  } catch (error) {
    throw unreadable(uri, error);
  }
  if (!found.isFile()) throw secretError("secretMalformed", uri, "is not a regular file");
  return buffer.subarray(0, length);
}

function isAbsent(error: unknown): boolean {
  const code = (error as NodeJS.ErrnoException).code;
  return code === "ENOENT" || code === "ENOTDIR";
}

function unreadable(uri: string, error: unknown) {
  const code = (error as NodeJS.ErrnoException).code ?? "unknown";
  return secretError("secretUnavailable", uri, `the file can't be read (${code})`, error);
}
