import { readFile, stat } from "node:fs/promises";
import { PenstockError } from "@penstock/core";
import { parseDocument } from "yaml";

/** What a settings file is and may hold. */
export interface ListFileKind {
  /** For messages, such as "functions file". */
  readonly name: string;
  /** Its one member, a list. */
  readonly member: string;
  readonly entriesMax: number;
}

/** A file is read whole. */
const FILE_BYTES_MAX = 1024 * 1024;
const ALIASES_MAX = 100;

/**
 * The entries of a YAML (or JSON) file that holds one list. Messages name the place of what is wrong, never a value: it may be a secret.
 *
 * @throws PenstockError `invalidArgument`.
 */
export async function readListFile(path: string, kind: ListFileKind): Promise<readonly unknown[]> {
  const { member, entriesMax } = kind;
  const document = parseDocument(await readBounded(path, kind), { prettyErrors: true });
  const problem = document.errors[0];
  if (problem) {
    throw fileError(path, kind, `line ${problem.linePos?.[0].line ?? "?"}: ${problem.code}`);
  }
  const content: unknown = document.toJS({ maxAliasCount: ALIASES_MAX });
  const entries = (content as Record<string, unknown> | null)?.[member];
  if (!Array.isArray(entries) || entries.length > entriesMax) {
    throw fileError(
      path,
      kind,
      `must have a list ${JSON.stringify(member)} of at most ${entriesMax} entries`,
    );
  }
  return entries;
}

export function fileError(
  path: string,
  kind: ListFileKind,
  problem: string,
  cause?: unknown,
): PenstockError {
  return new PenstockError("invalidArgument", `The ${kind.name} ${path}: ${problem}.`, { cause });
}

async function readBounded(path: string, kind: ListFileKind): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > FILE_BYTES_MAX) {
      throw fileError(path, kind, `must have at most ${FILE_BYTES_MAX} bytes`);
    }
    return await readFile(path, "utf8");
  } catch (error) {
    if (error instanceof PenstockError) throw error;
    throw fileError(path, kind, "can't be read", error);
  }
}
