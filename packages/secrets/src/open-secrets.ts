import {
  type Clock,
  type FieldViolation,
  PenstockError,
  type SourceAccess,
  type SourceSecurityProvider,
} from "@penstock/core";
import { type AddressGuards, createGuardedHttp } from "@penstock/egress";
import { SecretStore, type SecretStoreOptions } from "./cache/secret-store.ts";
import { isPlainEndpoint } from "./oauth/request-token.ts";
import { checkSourceUse } from "./policy/check-source-use.ts";
import { SecretPolicies } from "./policy/secret-policies.ts";
import type { SecretUser } from "./policy/secret-policy.ts";
import { createSourceSecurityProvider } from "./source/source-security-provider.ts";
import { createAwsReader } from "./stores/aws-reader.ts";
import {
  createEnvironmentReader,
  createFileReader,
  createMappedReader,
} from "./stores/local-readers.ts";
import { SecretsFolder } from "./stores/secrets-folder.ts";
import { createVaultReader, type VaultSettings } from "./stores/vault-reader.ts";

/** The settings of the table's group "Secrets", as parsed. */
export interface SecretsSettings {
  readonly secretsDir: string | null;
  readonly secretsPolicies: string | null;
  readonly secretsWithoutPolicy: boolean;
  readonly secretsTtlMs: number;
  readonly secretsCacheMax: number;
  readonly secretsTimeoutMs: number;
  /** `local`: ARNs are mapped to the folder; `aws`: Secrets Manager. */
  readonly secretsManager: string;
  readonly secretsManagerEndpoint: string | null;
  readonly vaultAddress: string | null;
  readonly vaultTokenFile: string | null;
  readonly vaultNamespace: string | null;
  readonly vaultMount: string;
  readonly vaultCaFile: string | null;
  readonly plaintextSaslBrokers: readonly string[];
  readonly plaintextTokenEndpoints: readonly string[];
}

export interface SecretsOptions {
  readonly settings: SecretsSettings;
  /** The environment, for `env:` references; nothing but PENSTOCK_SECRET_* is read of it. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly guards: AddressGuards;
  readonly clock: Clock;
  readonly log?: NonNullable<SecretStoreOptions["log"]>;
}

export interface Secrets {
  readonly sourceSecurity: SourceSecurityProvider;
  /**
   * Whether a caller may give these secrets to these brokers, for create, update and dry runs. Reads policies, no secret.
   *
   * @throws PenstockError `secretDenied` whose violations name each entry that is refused; `secretMalformed` for a list that contradicts itself
   */
  checkUse(
    access: readonly SourceAccess[],
    bootstrapServers: readonly string[],
    user: SecretUser,
  ): Promise<void>;
}

/**
 * The secrets of one process, from its settings. Opens nothing until a secret is asked for, and has nothing to close.
 *
 * @throws PenstockError `invalidArgument` whose violations name each setting that is wrong
 */
export function openSecrets(options: SecretsOptions): Secrets {
  const { settings, env, guards, clock, log } = options;
  assertSettings(settings);
  const timeoutMs = settings.secretsTimeoutMs;
  const folder = new SecretsFolder(settings.secretsDir);
  const isArnLocal = settings.secretsManager !== "aws";
  // Whoever wrote http: into a setting of the operator's meant it.
  const ofOperator = { timeoutMs, allowPlainHttp: () => true };
  const plainEndpoints = new Set(
    settings.plaintextTokenEndpoints.map((text) => text.toLowerCase()),
  );
  const store = new SecretStore({
    readers: {
      file: createFileReader(folder),
      env: createEnvironmentReader(env),
      arn: isArnLocal
        ? createMappedReader(folder)
        : createAwsReader({
            http: createGuardedHttp({ guard: guards.of("secretsManager"), ...ofOperator }),
            endpoint: settings.secretsManagerEndpoint,
          }),
      vault: createVaultReader(
        vaultSettings(settings),
        createGuardedHttp({ guard: guards.of("vault"), ...ofOperator }),
      ),
    },
    clock,
    ttlMs: settings.secretsTtlMs,
    entriesMax: settings.secretsCacheMax,
    ...(log !== undefined && { log }),
  });
  const policies = new SecretPolicies({
    secretsDir: settings.secretsDir,
    folder,
    policyFile: settings.secretsPolicies,
    isArnLocal,
    allowWithoutPolicy: settings.secretsWithoutPolicy,
  });
  const http = createGuardedHttp({
    guard: guards.of("tokenEndpoints"),
    timeoutMs,
    allowPlainHttp: (url) => isPlainEndpoint(url, plainEndpoints),
  });
  return {
    sourceSecurity: createSourceSecurityProvider({
      store,
      policies,
      clock,
      requester: { http, clock, plainEndpoints },
      plaintextBrokers: new Set(settings.plaintextSaslBrokers.map((text) => text.toLowerCase())),
      sourcesMax: settings.secretsCacheMax,
    }),
    checkUse: (access, bootstrapServers, user) =>
      checkSourceUse(policies, access, bootstrapServers, user),
  };
}

function vaultSettings(settings: SecretsSettings): VaultSettings | null {
  const { vaultAddress: address, vaultTokenFile: tokenFile } = settings;
  if (address === null || tokenFile === null) return null;
  return {
    address,
    tokenFile,
    namespace: settings.vaultNamespace,
    mount: settings.vaultMount,
    caFile: settings.vaultCaFile,
  };
}

function assertSettings(settings: SecretsSettings): void {
  const violations: FieldViolation[] = [];
  const wrong = (field: string, description: string) => violations.push({ field, description });
  const { vaultAddress, vaultTokenFile, vaultMount, secretsManagerEndpoint } = settings;
  if (vaultAddress !== null && !isHttpUrl(vaultAddress)) {
    wrong("PENSTOCK_VAULT_ADDRESS", "must be a URL, such as https://vault.internal:8200");
  }
  if ((vaultAddress === null) !== (vaultTokenFile === null)) {
    wrong("PENSTOCK_VAULT_TOKEN_FILE", "and PENSTOCK_VAULT_ADDRESS need each other");
  }
  if (!/^[A-Za-z0-9_-][A-Za-z0-9._-]*(?:\/[A-Za-z0-9_-][A-Za-z0-9._-]*)*$/.test(vaultMount)) {
    wrong("PENSTOCK_VAULT_MOUNT", "must be the path of a KV v2 engine, such as secret");
  }
  if (secretsManagerEndpoint !== null && !isHttpUrl(secretsManagerEndpoint)) {
    wrong("PENSTOCK_SECRETS_MANAGER_ENDPOINT", "must be a URL, such as https://host:4566");
  }
  if (violations.length === 0) return;
  const lines = violations.map(({ field, description }) => `${field} ${description}`);
  throw new PenstockError("invalidArgument", `Invalid settings: ${lines.join("; ")}.`, {
    violations,
  });
}

function isHttpUrl(text: string): boolean {
  const url = URL.parse(text);
  return url !== null && /^https?:$/.test(url.protocol) && url.username === "" && url.search === "";
}
