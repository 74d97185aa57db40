import { X509Certificate } from "node:crypto";
import type { SecretMembers } from "./read-members.ts";

const BLOCK = /-----BEGIN CERTIFICATE-----[A-Za-z0-9+/=\s]+-----END CERTIFICATE-----/g;
const CERTIFICATES_MAX = 100;

/**
 * The certificates of a PEM text, in order; at least one. Text between the blocks is allowed, as OpenSSL allows it.
 *
 * @throws PenstockError `secretMalformed`
 */
export function readCertificates(
  members: SecretMembers,
  name: string,
  pem: string,
): readonly X509Certificate[] {
  const blocks = pem.match(BLOCK) ?? [];
  if (blocks.length === 0) {
    throw members.malformed(
      pem.includes("\\n")
        ? `"${name}" has \\n written out where PEM needs new lines`
        : `"${name}" has no PEM certificate (-----BEGIN CERTIFICATE-----) in it`,
    );
  }
  if (blocks.length > CERTIFICATES_MAX) {
    throw members.malformed(`"${name}" has more than ${CERTIFICATES_MAX} certificates`);
  }
  return blocks.map((block, index) => {
    try {
      return new X509Certificate(block);
    } catch {
      // OpenSSL's message is of no use to who wrote the secret.
      throw members.malformed(`certificate ${index + 1} of "${name}" is damaged`);
    }
  });
}

/** The certificates as PEM and nothing else. */
export function toPem(certificates: readonly X509Certificate[]): string {
  return certificates.map((certificate) => certificate.toString()).join("");
}
