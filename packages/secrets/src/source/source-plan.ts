import type { SaslCredentials, SourceAccess, SourceAccessType } from "@penstock/core";
import {
  parseSecretReference,
  type SecretReference,
  SYSTEM_ROOTS,
} from "../reference/secret-reference.ts";

/** What the source access of a mapping asks for, read once. Pure. */
export interface SourcePlan {
  readonly login: {
    readonly mechanism: Exclude<SaslCredentials["mechanism"], "OAUTHBEARER">;
    readonly reference: SecretReference;
  } | null;
  readonly oauth: {
    readonly reference: SecretReference;
    readonly scope: string | null;
    readonly audience: string | null;
    readonly extensions: Readonly<Record<string, string>>;
  } | null;
  readonly identity: SecretReference | null;
  readonly roots: SecretReference | typeof SYSTEM_ROOTS | null;
  /** Every secret that is asked for. */
  readonly references: readonly SecretReference[];
}

/** Types that have no effect on a connection. */
const WITHOUT_EFFECT: readonly SourceAccessType[] = ["VPC_SUBNET", "VPC_SECURITY_GROUP"];

const MECHANISMS = {
  BASIC_AUTH: "PLAIN",
  SASL_SCRAM_256_AUTH: "SCRAM-SHA-256",
  SASL_SCRAM_512_AUTH: "SCRAM-SHA-512",
} as const;

const SASL_TYPES: readonly SourceAccessType[] = [
  "BASIC_AUTH",
  "SASL_SCRAM_256_AUTH",
  "SASL_SCRAM_512_AUTH",
  "OAUTHBEARER_AUTH",
];

const COMPANIONS = [
  "OAUTHBEARER_SCOPE",
  "OAUTHBEARER_AUDIENCE",
  "OAUTHBEARER_LOGICAL_CLUSTER",
  "OAUTHBEARER_IDENTITY_POOL",
] as const;

const UNSUPPORTED: readonly SourceAccessType[] = [
  "VIRTUAL_HOST",
  "IAM_AUTH",
  "IAM_OAUTHBEARER_AUTH",
];

/** The entries that matter, in an order of their own: equal for lists that ask for the same. */
export function relevantAccess(access: readonly SourceAccess[]): readonly SourceAccess[] {
  return access
    .filter(({ type }) => !WITHOUT_EFFECT.includes(type))
    .toSorted((a, b) => (a.type < b.type ? -1 : a.type > b.type ? 1 : 0));
}

/** The plan, or what is wrong with the list. */
export function planSource(access: readonly SourceAccess[]): SourcePlan | string {
  const uris = new Map<SourceAccessType, string>();
  for (const { type, uri } of relevantAccess(access)) {
    if (UNSUPPORTED.includes(type)) return `${type} is not supported`;
    if (uris.has(type)) return `${type} is there twice`;
    uris.set(type, uri);
  }
  const sasl = SASL_TYPES.filter((type) => uris.has(type));
  if (sasl.length > 1) return `${sasl.join(" and ")} exclude each other`;
  const companion = COMPANIONS.find((type) => uris.has(type));
  if (companion !== undefined && !uris.has("OAUTHBEARER_AUTH")) {
    return `${companion} needs OAUTHBEARER_AUTH`;
  }
  return planOf(uris);
}

function planOf(uris: ReadonlyMap<SourceAccessType, string>): SourcePlan | string {
  const references: SecretReference[] = [];
  const problems: string[] = [];
  const referenceOf = (type: SourceAccessType): SecretReference | null => {
    const uri = uris.get(type);
    if (uri === undefined) return null;
    const parsed = parseSecretReference(uri);
    if (!parsed.ok) {
      problems.push(`the URI of ${type} ${parsed.problem}`);
      return null;
    }
    references.push(parsed.reference);
    return parsed.reference;
  };
  const rootsUri = uris.get("SERVER_ROOT_CA_CERTIFICATE");
  const plan = {
    login: loginOf(referenceOf),
    oauth: oauthOf(referenceOf("OAUTHBEARER_AUTH"), uris),
    identity: referenceOf("CLIENT_CERTIFICATE_TLS_AUTH"),
    roots: rootsUri === SYSTEM_ROOTS ? SYSTEM_ROOTS : referenceOf("SERVER_ROOT_CA_CERTIFICATE"),
    references,
  } as const;
  return problems[0] ?? plan;
}

function loginOf(
  referenceOf: (type: SourceAccessType) => SecretReference | null,
): SourcePlan["login"] {
  for (const type of ["BASIC_AUTH", "SASL_SCRAM_256_AUTH", "SASL_SCRAM_512_AUTH"] as const) {
    const reference = referenceOf(type);
    if (reference !== null) return { mechanism: MECHANISMS[type], reference };
  }
  return null;
}

function oauthOf(
  reference: SecretReference | null,
  uris: ReadonlyMap<SourceAccessType, string>,
): SourcePlan["oauth"] {
  if (reference === null) return null;
  const logicalCluster = uris.get("OAUTHBEARER_LOGICAL_CLUSTER");
  const identityPoolId = uris.get("OAUTHBEARER_IDENTITY_POOL");
  return {
    reference,
    scope: uris.get("OAUTHBEARER_SCOPE") ?? null,
    audience: uris.get("OAUTHBEARER_AUDIENCE") ?? null,
    // Confluent Cloud's names of the extensions (KIP-342).
    extensions: {
      ...(logicalCluster !== undefined && { logicalCluster }),
      ...(identityPoolId !== undefined && { identityPoolId }),
    },
  };
}
