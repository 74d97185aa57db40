/**
 * Source access configurations: how the brokers of a mapping are authenticated to, as references. The values behind them never enter the model.
 * Names and meaning: AWS, "SourceAccessConfiguration" and "Authenticating with self-managed Apache Kafka".
 */

/** AWS's types, in the order of its model. */
export const SOURCE_ACCESS_TYPES = [
  "BASIC_AUTH",
  "VPC_SUBNET",
  "VPC_SECURITY_GROUP",
  "SASL_SCRAM_512_AUTH",
  "SASL_SCRAM_256_AUTH",
  "VIRTUAL_HOST",
  "CLIENT_CERTIFICATE_TLS_AUTH",
  "SERVER_ROOT_CA_CERTIFICATE",
  "OAUTHBEARER_AUTH",
  "OAUTHBEARER_SCOPE",
  "OAUTHBEARER_AUDIENCE",
  "OAUTHBEARER_LOGICAL_CLUSTER",
  "OAUTHBEARER_IDENTITY_POOL",
  "IAM_AUTH",
  "IAM_OAUTHBEARER_AUTH",
] as const;
export type SourceAccessType = (typeof SOURCE_ACCESS_TYPES)[number];

export interface SourceAccess {
  readonly type: SourceAccessType;
  /** A reference to a secret, or the literal value of the types that have one. */
  readonly uri: string;
}

/**
 * What the URI of a type is: a reference to a secret, a setting of OAUTHBEARER, a network (recorded, without effect); or the type is one that a
 * self-managed cluster can't have (VIRTUAL_HOST is RabbitMQ's) or that needs AWS.
 */
export type SourceAccessKind = "secret" | "oauth" | "network" | "unsupported";

const KINDS: Readonly<Record<SourceAccessType, SourceAccessKind>> = {
  BASIC_AUTH: "secret",
  VPC_SUBNET: "network",
  VPC_SECURITY_GROUP: "network",
  SASL_SCRAM_512_AUTH: "secret",
  SASL_SCRAM_256_AUTH: "secret",
  VIRTUAL_HOST: "unsupported",
  CLIENT_CERTIFICATE_TLS_AUTH: "secret",
  SERVER_ROOT_CA_CERTIFICATE: "secret",
  OAUTHBEARER_AUTH: "secret",
  OAUTHBEARER_SCOPE: "oauth",
  OAUTHBEARER_AUDIENCE: "oauth",
  OAUTHBEARER_LOGICAL_CLUSTER: "oauth",
  OAUTHBEARER_IDENTITY_POOL: "oauth",
  IAM_AUTH: "unsupported",
  IAM_OAUTHBEARER_AUTH: "unsupported",
};

export function sourceAccessKind(type: SourceAccessType): SourceAccessKind {
  return KINDS[type];
}

const SASL_TYPES: ReadonlySet<SourceAccessType> = new Set([
  "BASIC_AUTH",
  "SASL_SCRAM_512_AUTH",
  "SASL_SCRAM_256_AUTH",
  "OAUTHBEARER_AUTH",
]);

/** Whether the type chooses a SASL mechanism, of which a connection has one. */
export function isSaslType(type: SourceAccessType): boolean {
  return SASL_TYPES.has(type);
}
