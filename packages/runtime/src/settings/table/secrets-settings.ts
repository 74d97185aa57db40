import { addressProblem } from "../kinds/network-address.ts";
import { flag, integer, list, text } from "../kinds/setting-kinds.ts";

const SECOND = 1000;
const MINUTE = 60 * SECOND;

/** Where secrets are read from, and who may have them (docs/operating/secrets.md). The mapping and the poller service read all of them. */
export const SECRETS_SETTINGS = {
  secretsDir: text({
    name: "PENSTOCK_SECRETS_DIR",
    description:
      "Folder of the secrets that file: references name, and ARNs of Secrets Manager unless PENSTOCK_SECRETS_MANAGER is aws.",
  }),
  secretsPolicies: text({
    name: "PENSTOCK_SECRETS_POLICIES",
    description:
      "YAML file that says which brokers may have which secret, and who may use it in a mapping. A policy may also stand beside a secret's file, as name.policy.yaml.",
  }),
  secretsWithoutPolicy: flag({
    name: "PENSTOCK_SECRETS_WITHOUT_POLICY",
    default: false,
    description:
      "For development: a secret without a policy may be used by everybody and sent to every broker.",
  }),
  secretsTtlMs: integer({
    name: "PENSTOCK_SECRETS_TTL_MS",
    min: 1 * SECOND,
    max: 24 * 60 * MINUTE,
    default: 5 * MINUTE,
    description:
      "How long a secret of Vault or Secrets Manager is used without asking again. What the brokers refuse is asked for at once.",
  }),
  secretsCacheMax: integer({
    name: "PENSTOCK_SECRETS_CACHE_MAX",
    min: 10,
    max: 100_000,
    default: 10_000,
    description: "Secrets that a process keeps at most.",
  }),
  secretsTimeoutMs: integer({
    name: "PENSTOCK_SECRETS_TIMEOUT_MS",
    min: 100,
    max: 1 * MINUTE,
    default: 10 * SECOND,
    description: "How long Vault, Secrets Manager or a token endpoint may take for one answer.",
  }),
  secretsManager: text({
    name: "PENSTOCK_SECRETS_MANAGER",
    default: "local",
    oneOf: ["local", "aws"],
    description:
      "Where ARNs of Secrets Manager lead: local, the file of that name in PENSTOCK_SECRETS_DIR; aws, the service, with the AWS credentials of the process.",
  }),
  secretsManagerEndpoint: text({
    name: "PENSTOCK_SECRETS_MANAGER_ENDPOINT",
    description:
      "URL of a service that speaks Secrets Manager's protocol. Default: AWS, in the region of the ARN.",
  }),
  vaultAddress: text({
    name: "PENSTOCK_VAULT_ADDRESS",
    description:
      "URL of the Vault or OpenBao that vault: references lead to, such as https://vault.internal:8200.",
  }),
  vaultTokenFile: text({
    name: "PENSTOCK_VAULT_TOKEN_FILE",
    description: "File with the token for Vault. Read again for each request.",
  }),
  vaultNamespace: text({
    name: "PENSTOCK_VAULT_NAMESPACE",
    description: "Namespace in Vault.",
  }),
  vaultMount: text({
    name: "PENSTOCK_VAULT_MOUNT",
    default: "secret",
    description: "Path of the KV version 2 engine in Vault.",
  }),
  vaultCaFile: text({
    name: "PENSTOCK_VAULT_CA_FILE",
    description:
      "Authority (PEM) that Vault's certificate is verified with. Default: the public ones.",
  }),
  plaintextSaslBrokers: brokers({
    name: "PENSTOCK_PLAINTEXT_SASL_BROKERS",
    description:
      "For development: brokers, host:port, that may have passwords and tokens without TLS. All bootstrap servers of a mapping must be listed, and those that the cluster advertises.",
  }),
  plaintextTokenEndpoints: brokers({
    name: "PENSTOCK_PLAINTEXT_TOKEN_ENDPOINTS",
    description: "For development: OAuth token endpoints, host:port, that may be asked over http.",
  }),
};

/** What may be dialled, on top of PENSTOCK_ALLOW_PRIVATE_ADDRESSES; the rules are parsed by the address guard. */
export const OUTBOUND_SETTINGS = {
  deniedAddresses: list({
    name: "PENSTOCK_DENIED_ADDRESSES",
    default: ["*:5432"],
    description:
      "Places that nothing may dial, whatever else allows them: the ports of Postgres first. Networks, addresses, names or * with an optional port.",
  }),
  allowedBrokers: allowed("BROKERS", "Brokers, bootstrap and advertised"),
  allowedFunctions: allowed("FUNCTIONS", "Functions"),
  allowedTokenEndpoints: allowed("TOKEN_ENDPOINTS", "OAuth token endpoints", "public ones"),
  allowedKeySets: allowed("KEY_SETS", "Key sets of PENSTOCK_JWT_KEYS", "any"),
  allowedVault: allowed("VAULT", "Vault", "any"),
  allowedSecretsManager: allowed("SECRETS_MANAGER", "Secrets Manager", "any"),
  allowedRegistries: allowed(
    "REGISTRIES",
    "Schema registries (this version dials none)",
    "public ones",
  ),
  allowedDestinations: allowed(
    "DESTINATIONS",
    "Failure destinations (this version dials none)",
    "public ones",
  ),
};

function allowed(kind: string, what: string, unset?: string) {
  const byDefault = unset ?? "public ones, and private ones with PENSTOCK_ALLOW_PRIVATE_ADDRESSES";
  return list({
    name: `PENSTOCK_ALLOWED_ADDRESSES_${kind}`,
    description: `${what} may be at these places only: networks, addresses, names, *.names, public or private, each with an optional port. Unset: ${byDefault}.`,
  });
}

function brokers(said: { name: string; description: string }) {
  return list({ ...said, check: addressProblem });
}
