import type { X509Certificate } from "node:crypto";
import { readCertificates, toPem } from "./read-certificates.ts";
import { SecretMembers } from "./read-members.ts";
import { readPrivateKey } from "./read-private-key.ts";

export interface ClientIdentity {
  /** The client's certificate, then its issuers. */
  readonly certificate: string;
  /** Plain PKCS#8: decrypted once here, and not again at each connection. */
  readonly privateKey: string;
}

/** `{"certificate", "privateKey", "privateKeyPassword"?}`. @throws PenstockError `secretMalformed` */
export function readClientIdentity(uri: string, text: string, wallMs: number): ClientIdentity {
  const members = new SecretMembers(uri, text);
  const pem = members.required("certificate");
  const privateKey = members.required("privateKey");
  const chain = readCertificates(members, "certificate", pem);
  const key = readPrivateKey(members, "privateKey", privateKey, {
    name: "privateKeyPassword",
    value: members.optional("privateKeyPassword"),
  });
  const [own, ...issuers] = chain;
  if (own === undefined || !own.checkPrivateKey(key)) {
    throw members.malformed(
      issuers.some((issuer) => issuer.checkPrivateKey(key))
        ? 'the client\'s certificate must be the first of "certificate"'
        : '"privateKey" does not belong to the first certificate',
    );
  }
  assertNotExpired(members, own, wallMs);
  const plain = key.export({ type: "pkcs8", format: "pem" });
  return { certificate: toPem(chain), privateKey: plain.toString() };
}

/** `{"certificate"}`: roots to trust, one or more. @throws PenstockError `secretMalformed` */
export function readRoots(uri: string, text: string, wallMs: number): string {
  const members = new SecretMembers(uri, text);
  const roots = readCertificates(members, "certificate", members.required("certificate"));
  // Of several one may have run out during a change of roots.
  if (roots.every((root) => isExpired(root, wallMs))) {
    for (const root of roots) assertNotExpired(members, root, wallMs);
  }
  return toPem(roots);
}

function assertNotExpired(members: SecretMembers, certificate: X509Certificate, wallMs: number) {
  if (!isExpired(certificate, wallMs)) return;
  const day = certificate.validToDate.toISOString().slice(0, 10);
  throw members.malformed(`its certificate expired on ${day}`);
}

function isExpired(certificate: X509Certificate, wallMs: number): boolean {
  return certificate.validToDate.getTime() < wallMs;
}
