/**
 * The secured listeners of a local broker, on loopback beside the plaintext one:
 *
 *   PLAINTEXT       nobody asks who you are: User:ANONYMOUS, the super user of the tests' administrator
 *   SASL_TLS        PLAIN, SCRAM-SHA-256, SCRAM-SHA-512 and, with a key set, OAUTHBEARER, over TLS
 *   MUTUAL_TLS      a client certificate is required; the principal is its common name
 *   SASL_PLAINTEXT  the same mechanisms without TLS
 *   and more like SASL_TLS with certificates of their own (expired, for another name)
 *
 * Whoever is not the super user may only do what an ACL allows (StandardAuthorizer).
 */
import { randomUUID } from "node:crypto";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { InvariantError } from "@penstock/core";
import type { KafkaRelease } from "../kafka-versions.ts";

/** PEM texts: certificate (chain) and PKCS#8 key. */
export interface PemIdentity {
  readonly certificate: string;
  readonly privateKey: string;
}

export interface LocalKafkaSecurity {
  /** What the TLS listeners show. Its names must include `127.0.0.1`, the address that is advertised. */
  readonly identity: PemIdentity;
  /** PEM of the authority that signs client certificates. */
  readonly clientAuthority: string;
  /** Users and passwords of PLAIN. Those of SCRAM are set on the running broker. */
  readonly plainUsers?: Readonly<Record<string, string>>;
  /** Keys and audience of OAUTHBEARER tokens; the principal is `sub`. Absent: not offered. */
  readonly tokens?: { readonly jwks: object; readonly audience: string };
  /** More listeners like SASL_TLS: name (capitals, digits, underscores) and what they show. */
  readonly moreListeners?: Readonly<Record<string, PemIdentity>>;
}

export interface SecuredListeners {
  readonly properties: Readonly<Record<string, string | number>>;
  /** Without the leading listeners of every broker; `NAME://host:port`, joined by commas. */
  readonly addresses: string;
  readonly protocols: string;
  readonly jvmFlags: readonly string[];
}

type Ports = Readonly<Record<string, number>>;

const BASIC = ["SASL_TLS", "MUTUAL_TLS", "SASL_PLAINTEXT"] as const;

export function securedListenerNames(security: LocalKafkaSecurity): string[] {
  return [...BASIC, ...Object.keys(security.moreListeners ?? {})];
}

/** Writes the PEM files under `folder` and says what the broker's settings are. */
export function secureListeners(
  security: LocalKafkaSecurity,
  { authorizer, version, hasKeysInline }: KafkaRelease,
  ports: Ports,
  folder: string,
): SecuredListeners {
  if (authorizer === undefined)
    throw new InvariantError(`no secured listeners of Kafka ${version}`);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  const truststore = join(folder, "client-authority.pem");
  writeFileSync(truststore, security.clientAuthority);
  const jwks = join(folder, "jwks.json");
  if (security.tokens) writeFileSync(jwks, JSON.stringify(security.tokens.jwks));
  const properties: Record<string, string | number> = {
    "authorizer.class.name": authorizer,
    "super.users": "User:ANONYMOUS",
  };
  const protocols: string[] = [];
  for (const name of securedListenerNames(security)) {
    const prefix = `listener.name.${name.toLowerCase()}.`;
    const set = (key: string, value: string | number) => {
      properties[prefix + key] = value;
    };
    const isSasl = name !== "MUTUAL_TLS";
    const isTls = name !== "SASL_PLAINTEXT";
    protocols.push(`${name}:${isSasl ? "SASL_" : ""}${isTls ? "SSL" : "PLAINTEXT"}`);
    if (isTls) {
      const identity = security.moreListeners?.[name] ?? security.identity;
      set("ssl.keystore.type", "PEM");
      if (hasKeysInline) {
        set("ssl.keystore.key", oneLine(identity.privateKey));
        set("ssl.keystore.certificate.chain", oneLine(identity.certificate));
      } else set("ssl.keystore.location", writeIdentity(folder, identity));
    }
    if (!isSasl) {
      set("ssl.client.auth", "required");
      set("ssl.truststore.type", "PEM");
      set("ssl.truststore.location", truststore);
      set("ssl.principal.mapping.rules", "RULE:^CN=([^,]+).*$/$1/");
      continue;
    }
    for (const [key, value] of saslSettings(security, jwks)) set(key, value);
  }
  const addresses = Object.entries(ports).map(([name, port]) => `${name}://127.0.0.1:${port}`);
  return {
    properties,
    addresses: addresses.join(","),
    protocols: protocols.join(","),
    // Kafka's validator reads keys only from where the JVM was told that it may.
    jvmFlags: [
      `-Dorg.apache.kafka.sasl.oauthbearer.allowed.urls=${pathToFileURL(jwks)}`,
      `-Dorg.apache.kafka.sasl.oauthbearer.allowed.files=${jwks}`,
    ],
  };
}

/** A PEM text as a value in a file of properties. */
function oneLine(pem: string): string {
  return pem.trim().replaceAll(/\r?\n/g, "\\n");
}

/** Writes key and certificate to a file of their own, as Kafka reads them; returns its path. */
export function writeIdentity(folder: string, { privateKey, certificate }: PemIdentity): string {
  const file = join(folder, `${randomUUID()}.pem`);
  writeFileSync(file, `${privateKey.trim()}\n${certificate.trim()}\n`, { mode: 0o600 });
  return file;
}

const MODULES = "org.apache.kafka.common.security";

function* saslSettings(
  { plainUsers = {}, tokens }: LocalKafkaSecurity,
  jwks: string,
): Iterable<[string, string | number]> {
  const scram = ["SCRAM-SHA-256", "SCRAM-SHA-512"];
  const mechanisms = ["PLAIN", ...scram, ...(tokens ? ["OAUTHBEARER"] : [])];
  yield ["sasl.enabled.mechanisms", mechanisms.join(",")];
  const users = Object.entries(plainUsers).map(([user, word]) => ` user_${user}="${word}"`);
  yield ["plain.sasl.jaas.config", `${MODULES}.plain.PlainLoginModule required${users.join("")};`];
  for (const mechanism of scram)
    yield [
      `${mechanism.toLowerCase()}.sasl.jaas.config`,
      `${MODULES}.scram.ScramLoginModule required;`,
    ];
  if (!tokens) return;
  const oauth = "oauthbearer.sasl.";
  yield [`${oauth}jaas.config`, `${MODULES}.oauthbearer.OAuthBearerLoginModule required;`];
  yield [
    `${oauth}server.callback.handler.class`,
    `${MODULES}.oauthbearer.OAuthBearerValidatorCallbackHandler`,
  ];
  yield [`${oauth}oauthbearer.jwks.endpoint.url`, String(pathToFileURL(jwks))];
  yield [`${oauth}oauthbearer.expected.audience`, tokens.audience];
}
