/**
 * A folder under `.cache/` that takes long to make and never changes: it is named for a digest of what it is made from, so another
 * content is another folder.
 *
 * A folder counts only with the mark that is written last, so one that was left half-made is made anew. Two processes at once: one
 * makes it, the other waits. It is made where it stays, because programs write their own path into what they install.
 */
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { withFolderLock } from "../process/folder-lock.ts";
import { REPOSITORY_ROOT } from "../repository-root.ts";

const MARK = ".complete";
const DIGEST_CHARACTERS = 16;

export interface FolderRecipe {
  /** What the folder's name begins with. */
  readonly name: string;
  /** All that decides what is inside. */
  readonly madeFrom: readonly (string | Uint8Array)[];
  /** How long making it may take, also for those who wait for it. */
  readonly limitMs: number;
  /** Where the folder is; default: `.cache` of the clone. */
  readonly parent?: string;
  make(folder: string): Promise<void>;
}

/** Answers the folder, after making it when it isn't there. */
export async function madeFolder(recipe: FolderRecipe): Promise<string> {
  const { parent = join(REPOSITORY_ROOT, ".cache") } = recipe;
  const digest = createHash("sha256");
  for (const part of recipe.madeFrom) digest.update(part).update("\0");
  const name = `${recipe.name}-${digest.digest("hex").slice(0, DIGEST_CHARACTERS)}`;
  const folder = join(parent, name);
  const isMade = (): boolean => existsSync(join(folder, MARK));
  if (isMade()) return folder;
  await withFolderLock(`${folder}.lock`, recipe.limitMs, async () => {
    if (isMade()) return;
    rmSync(folder, { recursive: true, force: true });
    mkdirSync(folder, { recursive: true });
    await recipe.make(folder);
    writeFileSync(join(folder, MARK), "");
  });
  return folder;
}
