import type { PenstockError } from "@penstock/core";
import type { SecretReference } from "../reference/secret-reference.ts";

/** Reads secrets of some kind from where they are. Reads once, keeps nothing: the cache is above. */
export interface SecretReader<K extends SecretReference["kind"] = SecretReference["kind"]> {
  /**
   * The text of the secret, at most {@link SECRET_BYTES_MAX} bytes.
   *
   * @throws PenstockError `secretMissing`, `secretMalformed` (too large, not text), `secretDenied`, `secretUnavailable`, `addressDenied`
   */
  read(reference: Extract<SecretReference, { kind: K }>): Promise<string>;
  /** Whether a read leaves the process's machine: then it is cached for longer and failures are remembered for a moment. */
  readonly isRemote: boolean;
}

export type SecretReaders = { readonly [K in SecretReference["kind"]]: SecretReader<K> };

/** AWS's limit of a secret. */
export const SECRET_BYTES_MAX = 65_536;

export type SecretErrorCode = Extract<PenstockError["code"], `secret${string}`>;
