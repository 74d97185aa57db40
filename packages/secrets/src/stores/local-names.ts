import { POLICY_FILE_END } from "../reference/secret-reference.ts";
import type { SecretsFolder } from "./secrets-folder.ts";

/**
 * The files that may stand for a Secrets Manager secret when ARNs are mapped to the folder, the first that is there: its name, else its name without the
 * hyphen and six characters that AWS adds to the names in ARNs. Region and account say nothing there.
 */
export function localNames(name: string): readonly string[] {
  const plain = name.replace(/-[A-Za-z0-9]{6}$/, "");
  const isFile = plain !== "" && !plain.endsWith("/") && !plain.endsWith(POLICY_FILE_END);
  return isFile && plain !== name ? [name, plain] : [name];
}

/** The one that is there; null when none is. */
export async function localFileOf(folder: SecretsFolder, name: string): Promise<string | null> {
  for (const file of localNames(name)) if (await folder.has(file)) return file;
  return null;
}
