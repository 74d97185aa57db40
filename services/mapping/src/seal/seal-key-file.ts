import { randomBytes } from "node:crypto";
import { link, mkdir, open, readFile, unlink } from "node:fs/promises";
import { dirname } from "node:path";
import { PenstockError } from "@penstock/core";
import { BOX_KEY_BYTES } from "./aes-gcm-box.ts";

/**
 * The key that seals header values: 32 random bytes in base64, in a file that only its owner reads. Made when it is missing; of two
 * processes that make it at once one wins and both use it. All replicas of a mapping service need the same file.
 *
 * @throws PenstockError `invalidArgument` when the file holds something else.
 */
export async function readSealKey(path: string): Promise<Buffer> {
  return decode(path, (await readIfThere(path)) ?? (await make(path)));
}

/** The same for a key that somebody else has made. @throws PenstockError `invalidArgument`, also when there is none. */
export async function readGivenKey(path: string): Promise<Buffer> {
  try {
    return decode(path, (await readIfThere(path)) ?? "");
  } catch (cause) {
    if (cause instanceof PenstockError) throw cause;
    throw new PenstockError("invalidArgument", `The encryption key file ${path} can't be read.`, {
      cause,
    });
  }
}

function decode(path: string, text: string): Buffer {
  const key = Buffer.from(text.trim(), "base64");
  if (key.length === BOX_KEY_BYTES) return key;
  throw new PenstockError(
    "invalidArgument",
    `The encryption key file ${path} must hold ${BOX_KEY_BYTES} bytes in base64.`,
  );
}

async function readIfThere(path: string): Promise<string | null> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return null;
    throw error;
  }
}

/** Written under another name first and linked, so that nobody ever reads half a key and nobody's key is replaced. */
async function make(path: string): Promise<string> {
  await mkdir(dirname(path), { recursive: true });
  const temporary = `${path}.${process.pid}.${randomBytes(4).toString("hex")}`;
  const file = await open(temporary, "wx", 0o600);
  try {
    await file.writeFile(`${randomBytes(BOX_KEY_BYTES).toString("base64")}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  try {
    await link(temporary, path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "EEXIST") throw error;
  } finally {
    await unlink(temporary);
  }
  return readFile(path, "utf8");
}
