import { stat } from "node:fs/promises";
import { join } from "node:path";
import { POLICY_FILE_END, type SecretReference } from "../reference/secret-reference.ts";
import { localFileOf, localNames } from "../stores/local-names.ts";
import { secretError } from "../stores/secret-error.ts";
import type { SecretsFolder } from "../stores/secrets-folder.ts";
import { readPolicyBeside, readPolicyFile } from "./policy-file.ts";
import {
  type PolicyTarget,
  policiesOfFile,
  policiesOfName,
  policyTargetOf,
} from "./policy-target.ts";
import { admitsBroker, admitsUser, type SecretPolicy, type SecretUser } from "./secret-policy.ts";

/**
 * Which secret may go where, and by whose hand: what AWS's execution role does for AWS. Without it, whoever may create a mapping could have anybody's
 * password sent to a broker of their own.
 *
 * A secret may have a policy in the policy file, one beside it (`name.policy.yaml`), or both: then both must admit the use. A secret without any is
 * refused, unless the development setting says otherwise. Policies follow the secret, not its spelling: references that lead to one file are judged
 * alike, whether they are ARNs, paths or links.
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
  #file: { readonly stamp: string; readonly targets: readonly PolicyTarget[] } | null = null;

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
    const names = await this.#namesOf(reference);
    const policies: SecretPolicy[] = [];
    if (policyFile !== null) {
      const targets = await this.#targets(policyFile);
      const has = (name: string) => this.#options.folder.has(name);
      policies.push(
        ...(names === null
          ? policiesOfName(targets, reference.uri)
          : await policiesOfFile(targets, names, has)),
      );
    }
    if (secretsDir !== null && names !== null) {
      for (const name of names) {
        const file = join(secretsDir, name + POLICY_FILE_END);
        const policy = await readPolicyBeside(file, reference.uri);
        if (policy !== null) policies.push(policy);
      }
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

  /**
   * The names in the folder of the file that the reference leads to, through links too; those that it may lead to while there is no file; null for secrets
   * that live elsewhere.
   */
  async #namesOf(reference: SecretReference): Promise<readonly string[] | null> {
    const { folder, isArnLocal } = this.#options;
    let names: readonly string[];
    if (reference.kind === "file") {
      names = [reference.path];
    } else if (reference.kind === "arn" && isArnLocal) {
      const file = await localFileOf(folder, reference.name);
      names = file === null ? localNames(reference.name) : [file];
    } else {
      return null;
    }
    const real = await Promise.all(names.map((name) => folder.realNameOf(name)));
    return [...new Set([...names, ...real.filter((name) => name !== null)])];
  }

  /** Read again when the file has changed. */
  async #targets(path: string): Promise<readonly PolicyTarget[]> {
    const stamp = await stat(path, { bigint: true }).then(
      ({ ino, size, mtimeNs }) => `${ino}:${size}:${mtimeNs}`,
      // Reading it says what is wrong.
      () => "",
    );
    if (this.#file !== null && stamp !== "" && this.#file.stamp === stamp)
      return this.#file.targets;
    const entries = await readPolicyFile(path);
    const targets = entries.map((entry) => policyTargetOf(entry, this.#options.isArnLocal));
    this.#file = { stamp, targets };
    return targets;
  }
}
