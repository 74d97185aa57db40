import { dirname, resolve } from "node:path";
import { fileError, readListFile } from "../files/list-file.ts";
import { type KeyRing, type RingKey, ringKey } from "./key-ring.ts";
import { readGivenKey } from "./seal-key-file.ts";

const KMS_KEYS_FILE = { name: "KMS keys file", member: "keys", entriesMax: 100 };
const KEYS_PER_ARN_MAX = 10;
/** AWS: pattern of KMSKeyArn. */
const ARN = /^arn:(aws[a-zA-Z-]*)?:[a-z0-9-.]+:.*$/;

/**
 * The local keys behind KMS key ARNs, from the file that PENSTOCK_KMS_KEYS names (YAML or JSON):
 *
 *     keys:
 *       - arn: arn:aws:kms:us-east-1:000000000000:key/11111111-2222-3333-4444-555555555555
 *         key_file: filters-2.key            # seals; relative to this file
 *         older_key_files: [filters-1.key]   # open what they sealed before
 *
 * A key file holds 32 random bytes in base64 (`openssl rand -base64 32`).
 *
 * @throws PenstockError `invalidArgument` that names the entry and what is wrong with it.
 */
export async function readKmsKeysFile(path: string): Promise<KeyRing> {
  const entries = await readListFile(path, KMS_KEYS_FILE);
  const ring = new Map<string, readonly [RingKey, ...RingKey[]]>();
  for (const [index, entry] of entries.entries()) {
    const { arn, files } = readEntry(path, entry, index);
    if (ring.has(arn)) throw invalid(path, index, "its arn is there twice");
    const keys = await Promise.all(files.map((file) => readGivenKey(resolve(dirname(path), file))));
    const [newest, ...older] = keys.map(ringKey);
    if (newest) ring.set(arn, [newest, ...older]);
  }
  return ring;
}

function readEntry(path: string, entry: unknown, index: number) {
  const fail = (problem: string) => invalid(path, index, problem);
  if (typeof entry !== "object" || entry === null) throw fail("must have arn and key_file");
  const { arn, key_file: newest, older_key_files: older = [], ...others } = entry as Entry;
  const unknown = Object.keys(others)[0];
  if (unknown !== undefined) throw fail(`${JSON.stringify(unknown.slice(0, 64))} is not known`);
  if (typeof arn !== "string" || !ARN.test(arn)) throw fail("arn must be the ARN of a key");
  if (typeof newest !== "string" || newest === "") throw fail("key_file must name a file");
  if (!Array.isArray(older) || !older.every((file) => typeof file === "string")) {
    throw fail("older_key_files must be a list of files");
  }
  if (older.length >= KEYS_PER_ARN_MAX) throw fail(`at most ${KEYS_PER_ARN_MAX} keys in all`);
  return { arn, files: [newest, ...(older as string[])] };
}

interface Entry {
  readonly arn?: unknown;
  readonly key_file?: unknown;
  readonly older_key_files?: unknown;
}

function invalid(path: string, index: number, problem: string) {
  return fileError(path, KMS_KEYS_FILE, `entry ${index + 1}: ${problem}`);
}
