/**
 * A small private certificate authority for tests: P-256 keys, made in milliseconds, everything as PEM text.
 *
 * It issues what tests need on purpose wrong too: expired, not yet valid, for other names.
 */
import "./reflect-metadata.ts";
import type { webcrypto } from "node:crypto";
import { isIP } from "node:net";
import * as x509 from "@peculiar/x509";

export interface IssueOptions {
  /** Common name. Default: the first name. */
  readonly commonName?: string;
  /** Default: an hour ago. */
  readonly notBefore?: Date;
  /** Default: in a day. */
  readonly notAfter?: Date;
  /** Ended an hour ago. */
  readonly isExpired?: boolean;
  /** False: it has alternative names alone. Default true. */
  readonly hasSubject?: boolean;
  /** More alternative names. */
  readonly uris?: readonly string[];
  /** Whether a client may show it. Default true; servers may always. */
  readonly isClient?: boolean;
}

export interface IssuedCertificate {
  /** PEM of the certificate alone; the authority signs it directly. */
  readonly certificate: string;
  /** PKCS#8 PEM, not encrypted. */
  readonly privateKey: string;
}

export interface TestAuthority {
  /** PEM of the root. */
  readonly certificate: string;
  /** A certificate for DNS names and IP addresses (`localhost`, `127.0.0.1`). */
  issue(names: readonly string[], options?: IssueOptions): Promise<IssuedCertificate>;
}

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const ALGORITHM = { name: "ECDSA", namedCurve: "P-256", hash: "SHA-256" } as const;

export async function createTestAuthority(name = "Test authority"): Promise<TestAuthority> {
  const keys = await newKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    notBefore: new Date(Date.now() - DAY_MS),
    notAfter: new Date(Date.now() + DAY_MS),
    signingAlgorithm: ALGORITHM,
    keys,
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(
        x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign,
        true,
      ),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return {
    certificate: root.toString("pem"),
    async issue(names, options = {}) {
      const own = await newKeys();
      const { serverAuth, clientAuth } = x509.ExtendedKeyUsage;
      const usages = options.isClient === false ? [serverAuth] : [serverAuth, clientAuth];
      const certificate = await x509.X509CertificateGenerator.create({
        ...(options.hasSubject !== false && {
          subject: `CN=${options.commonName ?? names[0] ?? "nobody"}`,
        }),
        issuer: root.subject,
        ...validity(options),
        signingKey: keys.privateKey,
        signingAlgorithm: ALGORITHM,
        publicKey: own.publicKey,
        extensions: [
          new x509.BasicConstraintsExtension(false),
          new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
          new x509.ExtendedKeyUsageExtension(usages),
          new x509.SubjectAlternativeNameExtension([
            ...names.map((value) => ({ type: isIP(value) === 0 ? "dns" : "ip", value }) as const),
            ...(options.uris ?? []).map((value) => ({ type: "url", value }) as const),
          ]),
          await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ],
      });
      return { certificate: certificate.toString("pem"), privateKey: await pkcs8(own.privateKey) };
    },
  };
}

function validity({ isExpired = false, notBefore, notAfter }: IssueOptions) {
  const now = Date.now();
  return {
    notBefore: notBefore ?? new Date(now - (isExpired ? 2 * DAY_MS : HOUR_MS)),
    notAfter: notAfter ?? new Date(isExpired ? now - HOUR_MS : now + DAY_MS),
  };
}

function newKeys() {
  return crypto.subtle.generateKey(ALGORITHM, true, ["sign", "verify"]);
}

async function pkcs8(key: webcrypto.CryptoKey): Promise<string> {
  const der = Buffer.from(await crypto.subtle.exportKey("pkcs8", key)).toString("base64");
  const lines = der.match(/.{1,64}/g) ?? [];
  return `-----BEGIN PRIVATE KEY-----\n${lines.join("\n")}\n-----END PRIVATE KEY-----\n`;
}
