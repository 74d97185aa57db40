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
