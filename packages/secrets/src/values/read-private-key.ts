import { createPrivateKey, type KeyObject } from "node:crypto";
import { isCheapToDecrypt } from "./key-derivation-cost.ts";
import type { SecretMembers } from "./read-members.ts";

/**
 * A private key as PKCS#8 PEM, plain or encrypted. Every encryption that OpenSSL 3 reads without its legacy provider works: PBES2 (AES, 3DES; PBKDF2 or
 * scrypt) and PBES1 with 3DES. What only the legacy provider reads (MD5 or SHA1 with DES, RC2, RC4) is explained.
 */
const CONVERT =
  "openssl pkcs8 -topk8 -v2 aes-256-cbc -provider legacy -provider default -in old.pem -out new.pem";

/** @throws PenstockError `secretMalformed` that says how to make it right */
export function readPrivateKey(
  members: SecretMembers,
  name: string,
  pem: string,
  /** The member that holds its password; null where none may be. */
  password: { readonly name: string; readonly value: string | null } | null,
): KeyObject {
  if (pem.includes("\\n")) {
    throw members.malformed(`"${name}" has \\n written out where PEM needs new lines`);
  }
  const label = /-----BEGIN ([A-Z0-9 ]{1,40})-----/.exec(pem)?.[1];
  if (label !== "PRIVATE KEY" && label !== "ENCRYPTED PRIVATE KEY") {
    throw members.malformed(notPkcs8(name, label));
  }
  if (label === "ENCRYPTED PRIVATE KEY" && (password === null || password.value === null)) {
    throw members.malformed(
      password === null
        ? `"${name}" is encrypted: it must be plain PKCS#8`
        : `"${name}" is encrypted and there is no "${password.name}"`,
    );
  }
  if (!isCheapToDecrypt(pem)) {
    throw members.malformed(
      `"${name}" asks for too many iterations to be decrypted: encrypt it again with openssl pkcs8 -topk8 -v2 aes-256-cbc`,
    );
  }
  try {
    return createPrivateKey({ key: pem, passphrase: password?.value ?? "" });
  } catch (error) {
    throw members.malformed(unreadable(name, password?.name ?? "", label, codeOf(error)));
  }
}

function notPkcs8(name: string, label: string | undefined): string {
  if (label?.endsWith("PRIVATE KEY")) {
    return `"${name}" is "BEGIN ${label}", not PKCS#8: convert it with openssl pkcs8 -topk8 -v2 aes-256-cbc -in old.pem -out new.pem (or -nocrypt)`;
  }
  return `"${name}" is no PEM private key (-----BEGIN PRIVATE KEY-----)`;
}

function unreadable(name: string, passwordName: string, label: string, code: string): string {
  if (label === "PRIVATE KEY") return `"${name}" is damaged`;
  if (code === "ERR_OSSL_EVP_UNSUPPORTED") {
    return `"${name}" is encrypted in a way that is no longer safe (DES, RC2 or RC4): convert it with ${CONVERT}`;
  }
  return `"${name}" can't be decrypted with "${passwordName}"`;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}
