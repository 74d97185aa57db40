import { stat } from "node:fs/promises";
import { join } from "node:path";
import { POLICY_FILE_END, type SecretReference } from "../reference/secret-reference.ts";
import { localFileOf } from "../stores/local-readers.ts";
import { secretError } from "../stores/secret-error.ts";
import type { SecretsFolder } from "../stores/secrets-folder.ts";
import { type PolicyEntry, readPolicyBeside, readPolicyFile } from "./policy-file.ts";
import { admitsBroker, admitsUser, type SecretPolicy, type SecretUser } from "./secret-policy.ts";

/**
 * Which secret may go where, and by whose hand: what AWS's execution role does for AWS. Without it, whoever may create a mapping could have anybody's
 * password sent to a broker of their own.
 *
 * A secret may have a policy in the policy file, one beside it (`name.policy.yaml`), or both: then both must admit the use. A secret without any is
 * refused, unless the development setting says otherwise.
 */
export interface SecretPoliciesOptions {
  /** PENSTOCK_SECRETS_DIR. */
  readonly secretsDir: string | null;
  readonly folder: SecretsFolder;
  /** PENSTOCK_SECRETS_POLICIES. */
  readonly policyFile: string | null;
  /** Whether ARNs are mapped to the folder. */
  readonly isArnLocal: boolean;
  /** PENSTOCK_SECRETS_WITHOUT_POLICY. */
  readonly allowWithoutPolicy: boolean;
}

export class SecretPolicies {
  readonly #options: SecretPoliciesOptions;
  #file: { readonly stamp: string; readonly entries: readonly PolicyEntry[] } | null = null;

  constructor(options: SecretPoliciesOptions) {
    this.#options = options;
  }

  /** @throws PenstockError `secretDenied` unless the secret may be sent to that broker */
  async assertBroker(reference: SecretReference, host: string, port: number): Promise<void> {
    for (const policy of await this.#policiesOf(reference)) {
      if (admitsBroker(policy, host, port)) continue;
      throw secretError(
        "secretDenied",
        reference.uri,
        `its policy does not allow the broker ${host}:${port} (add it to "brokers" there if it may have the secret)`,
      );
    }
  }

  /** @throws PenstockError `secretDenied` unless the user may put the secret into a mapping */
  async assertUser(reference: SecretReference, user: SecretUser): Promise<void> {
    for (const policy of await this.#policiesOf(reference)) {
      if (admitsUser(policy, user)) continue;
      throw secretError(
        "secretDenied",
        reference.uri,
        'its policy does not let this caller use it (see "roles" and "subjects" there)',
      );
    }
  }

  async #policiesOf(reference: SecretReference): Promise<readonly SecretPolicy[]> {
    const { policyFile, secretsDir, allowWithoutPolicy } = this.#options;
    const path = await this.#pathOf(reference);
    const policies: SecretPolicy[] = [];
    if (policyFile !== null) {
      const entries = await this.#entries(policyFile);
      const names = path === null ? [reference.uri] : [reference.uri, `file:${path}`];
      for (const name of new Set(names)) {
        const policy = mostSpecific(entries, name);
        if (policy !== null) policies.push(policy);
      }
    }
    if (path !== null && secretsDir !== null) {
      const file = join(secretsDir, path + POLICY_FILE_END);
      const policy = await readPolicyBeside(file, reference.uri);
      if (policy !== null) policies.push(policy);
    }
    if (policies.length === 0 && !allowWithoutPolicy) {
      throw secretError(
        "secretDenied",
        reference.uri,
        "has no policy, so no broker may have it (docs/operating/secrets.md)",
      );
    }
    return policies;
  }

  /** The path below the folder of secrets that the reference leads to; null for those that live elsewhere. */
  async #pathOf(reference: SecretReference): Promise<string | null> {
    if (reference.kind === "file") return reference.path;
    if (reference.kind !== "arn" || !this.#options.isArnLocal) return null;
    return (await localFileOf(this.#options.folder, reference.name)) ?? reference.name;
  }

  /** Read again when the file has changed. */
  async #entries(path: string): Promise<readonly PolicyEntry[]> {
    const stamp = await stat(path, { bigint: true }).then(
      ({ ino, size, mtimeNs }) => `${ino}:${size}:${mtimeNs}`,
      // Reading it says what is wrong.
      () => "",
    );
    if (this.#file !== null && stamp !== "" && this.#file.stamp === stamp)
      return this.#file.entries;
    const entries = await readPolicyFile(path);
    this.#file = { stamp, entries };
    return entries;
  }
}

/** The exact entry, else the one with the longest beginning. */
function mostSpecific(entries: readonly PolicyEntry[], name: string): SecretPolicy | null {
  let best: PolicyEntry | null = null;
  for (const entry of entries) {
    const { secret } = entry;
    if (secret === name) return entry.policy;
    if (!secret.endsWith("*") || !name.startsWith(secret.slice(0, -1))) continue;
    if (best === null || secret.length > best.secret.length) best = entry;
  }
  return best?.policy ?? null;
}
