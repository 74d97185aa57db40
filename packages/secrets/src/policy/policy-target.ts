import { parseSecretReference } from "../reference/secret-reference.ts";
import { localNames } from "../stores/local-names.ts";
import type { PolicyEntry } from "./policy-file.ts";
import type { SecretPolicy } from "./secret-policy.ts";

/**
 * Which entries of the policy file are about a secret. For a file of the folder it is the file that counts, not how it is spelled: `file:orders` and
 * every ARN that leads to it are under the same policies.
 *
 *     entries that name the secret itself, in any spelling ─▶ all of them
 *     else those with the longest beginning of its name    ─▶ all of them that no other narrows
 */
export interface PolicyTarget {
  readonly secret: string;
  readonly policy: SecretPolicy;
  /** The text before the `*`; null for an entry that names one secret. */
  readonly beginning: string | null;
  /** Files that one name may lead to, the first that is there; or beginnings of their names. */
  readonly files: readonly string[];
  /** The beginning of names in ARNs, whose last characters may be those that AWS adds. */
  readonly arnBeginning: string | null;
}

interface Match {
  readonly policy: SecretPolicy;
  readonly beginning: string;
  /** How much of the name it tells. */
  readonly length: number;
}

type HasFile = (name: string) => Promise<boolean>;

const FILE = "file:";
const ARN_PARTS = ["arn", null, "secretsmanager", null, null, "secret"];

/** `isArnLocal`: whether ARNs lead to the folder. */
export function policyTargetOf({ secret, policy }: PolicyEntry, isArnLocal: boolean): PolicyTarget {
  if (secret.endsWith("*")) {
    const beginning = secret.slice(0, -1);
    const isFile = beginning.startsWith(FILE) || FILE.startsWith(beginning);
    const arnBeginning = isArnLocal ? nameBeginning(beginning) : null;
    const files = isFile ? [beginning.slice(FILE.length)] : [];
    return { secret, policy, beginning, files, arnBeginning };
  }
  const parsed = parseSecretReference(secret);
  let files: readonly string[] = [];
  if (parsed.ok && parsed.reference.kind === "file") files = [parsed.reference.path];
  if (parsed.ok && parsed.reference.kind === "arn" && isArnLocal) {
    files = localNames(parsed.reference.name);
  }
  return { secret, policy, beginning: null, files, arnBeginning: null };
}

/** Of a secret that has one spelling: a variable, a secret of Vault or of Secrets Manager. */
export function policiesOfName(
  targets: readonly PolicyTarget[],
  uri: string,
): readonly SecretPolicy[] {
  const exact = targets.filter(({ secret }) => secret === uri);
  if (exact.length > 0) return exact.map(({ policy }) => policy);
  return narrowest(
    targets.flatMap(({ beginning, policy }) => {
      const isAbout = beginning !== null && uri.startsWith(beginning);
      return isAbout ? [{ policy, beginning, length: beginning.length }] : [];
    }),
  );
}

/** Of a file of the folder, by all its names there. `has` says whether there is a file of a name. */
export async function policiesOfFile(
  targets: readonly PolicyTarget[],
  names: readonly string[],
  has: HasFile,
): Promise<readonly SecretPolicy[]> {
  const exact: SecretPolicy[] = [];
  const wide: Match[] = [];
  /** They narrow nothing, since they are about other names of the file, and hold too. */
  const others: SecretPolicy[] = [];
  for (const { policy, beginning, files, arnBeginning } of targets) {
    if (beginning === null) {
      if (await namesOneOf(files, names, has)) exact.push(policy);
      continue;
    }
    for (const start of arnBeginning === null ? files : [...files, arnBeginning]) {
      if (!names.some((name) => name.startsWith(start))) continue;
      wide.push({ policy, beginning, length: start.length });
    }
    if (arnBeginning === null) continue;
    if (await leadsToOneOf(arnBeginning, names, has)) others.push(policy);
  }
  return exact.length > 0 ? exact : [...new Set([...narrowest(wide), ...others])];
}

/** Whether the entry leads to one of the names, or would while none of its files is there. */
async function namesOneOf(
  files: readonly string[],
  names: readonly string[],
  has: HasFile,
): Promise<boolean> {
  const [first = "", plain] = files;
  if (names.includes(first)) return true;
  return plain !== undefined && names.includes(plain) && !(await has(first));
}

/** Whether ARNs that begin so lead to one of the names by the characters that AWS adds. */
async function leadsToOneOf(
  arnBeginning: string,
  names: readonly string[],
  has: HasFile,
): Promise<boolean> {
  for (const name of names) {
    if (!arnBeginning.startsWith(`${name}-`)) continue;
    const added = arnBeginning.slice(name.length + 1);
    if (!/^[A-Za-z0-9]{0,6}$/.test(added)) continue;
    if (added.length < 6 || !(await has(arnBeginning))) return true;
  }
  return false;
}

function narrowest(matches: readonly Match[]): readonly SecretPolicy[] {
  const length = Math.max(...matches.map((match) => match.length));
  const longest = matches.filter((match) => match.length === length);
  const isNarrowed = ({ beginning }: Match) =>
    longest.some((other) => other.beginning !== beginning && other.beginning.startsWith(beginning));
  return longest.filter((match) => !isNarrowed(match)).map(({ policy }) => policy);
}

/** The beginning of the names of secrets in ARNs that begin so; null when no ARN of a secret does. */
function nameBeginning(arnBeginning: string): string | null {
  const parts = arnBeginning.split(":");
  const isSecret = parts.slice(0, ARN_PARTS.length).every((part, index) => {
    const expected = ARN_PARTS[index] ?? part;
    return index === parts.length - 1 ? expected.startsWith(part) : expected === part;
  });
  return isSecret ? parts.slice(ARN_PARTS.length).join(":") : null;
}
