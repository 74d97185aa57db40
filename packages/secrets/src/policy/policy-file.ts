import { type FileHandle, open } from "node:fs/promises";
import { PenstockError } from "@penstock/core";
import { parseDocument } from "yaml";
import { readPolicy, type SecretPolicy } from "./secret-policy.ts";

/**
 * Policies as files. One that can't be read or understood refuses every use of its secrets: replace policy files by renaming, not by writing into them.
 */
export interface PolicyEntry {
  /** A reference, or its beginning and `*`. */
  readonly secret: string;
  readonly policy: SecretPolicy;
}

const FILE_BYTES_MAX = 1024 * 1024;
const ENTRIES_MAX = 10_000;

/**
 * The one policy file: a list `secrets` of policies, each with the `secret` that it is for.
 *
 * @throws PenstockError `secretDenied`
 */
export async function readPolicyFile(path: string): Promise<readonly PolicyEntry[]> {
  const name = `The policy file ${path}`;
  const text = await readBounded(name, path);
  if (text === null) throw refused(name, "does not exist");
  const content = parseYaml(name, text);
  const entries = (content as { readonly secrets?: unknown } | null)?.secrets;
  if (!Array.isArray(entries) || entries.length > ENTRIES_MAX) {
    throw refused(name, `must have a list "secrets" of at most ${ENTRIES_MAX} policies`);
  }
  return entries.map((entry: unknown, index) => {
    const secret = (entry as { readonly secret?: unknown } | null)?.secret;
    if (typeof secret !== "string" || secret === "") {
      throw refused(name, `policy ${index + 1} must say which "secret" it is for`);
    }
    const policy = readPolicy(entry, ["secret"]);
    if (typeof policy === "string") throw refused(name, `policy ${index + 1} ${policy}`);
    return { secret, policy };
  });
}

/** The policy beside one secret's file; null when there is none. @throws PenstockError `secretDenied` */
export async function readPolicyBeside(path: string, uri: string): Promise<SecretPolicy | null> {
  const name = `The policy beside ${uri}`;
  const text = await readBounded(name, path);
  if (text === null) return null;
  const policy = readPolicy(parseYaml(name, text));
  if (typeof policy === "string") throw refused(name, policy);
  return policy;
}

async function readBounded(name: string, path: string): Promise<string | null> {
  let file: FileHandle | null = null;
  try {
    file = await open(path, "r");
    const { size } = await file.stat();
    if (size <= FILE_BYTES_MAX) return await file.readFile("utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    if (code === "ENOENT" || code === "ENOTDIR") return null;
    throw refused(name, `can't be read (${code})`, error);
  } finally {
    await file?.close();
  }
  throw refused(name, `must have at most ${FILE_BYTES_MAX} bytes`);
}

function parseYaml(name: string, text: string): unknown {
  const document = parseDocument(text, { prettyErrors: true });
  const problem = document.errors[0];
  if (problem !== undefined) {
    throw refused(name, `is not YAML: line ${problem.linePos?.[0].line ?? "?"}: ${problem.code}`);
  }
  return document.toJS({ maxAliasCount: 0 });
}

function refused(name: string, problem: string, cause?: unknown): PenstockError {
  return new PenstockError("secretDenied", `${name} ${problem}.`, { cause });
}
