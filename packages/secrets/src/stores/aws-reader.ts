import type { GetSecretValueCommandOutput, SecretsManager } from "@aws-sdk/client-secrets-manager";
import { PenstockError } from "@penstock/core";
import type { GuardedHttp } from "@penstock/egress";
import { createSdkHandler } from "./sdk-handler.ts";
import { secretError, secretText } from "./secret-error.ts";
import type { SecretReader } from "./secret-reader.ts";

/**
 * `arn:`: AWS Secrets Manager through AWS's SDK, or whatever speaks its protocol at PENSTOCK_SECRETS_MANAGER_ENDPOINT. Penstock's own AWS
 * credentials come from where the SDK looks for them (environment, profile, role of the machine).
 */
export interface AwsReaderOptions {
  readonly http: GuardedHttp;
  readonly endpoint: string | null;
}

/** Regions differ by secret; more than these at once are opened again. */
const CLIENTS_MAX = 32;
const ATTEMPTS_MAX = 2;

export function createAwsReader(options: AwsReaderOptions): SecretReader<"arn"> {
  const clients = new Map<string, SecretsManager>();
  const clientOf = async (region: string): Promise<SecretsManager> => {
    const known = clients.get(region);
    if (known !== undefined) return known;
    // Loaded by who uses it: the SDK is some 30 MB of memory.
    const sdk = await import("@aws-sdk/client-secrets-manager");
    if (clients.size >= CLIENTS_MAX) clients.clear();
    const client = new sdk.SecretsManager({
      region,
      maxAttempts: ATTEMPTS_MAX,
      requestHandler: createSdkHandler(options.http),
      ...(options.endpoint !== null && { endpoint: options.endpoint }),
    });
    clients.set(region, client);
    return client;
  };
  return {
    isRemote: true,
    async read({ uri, region }) {
      let answer: GetSecretValueCommandOutput;
      try {
        const client = await clientOf(region);
        answer = await client.getSecretValue({ SecretId: uri });
      } catch (error) {
        throw translate(uri, error);
      }
      const { ARN, SecretString, SecretBinary } = answer;
      // It also answers to beginnings of an ARN: those would be other names for a secret, under other policies.
      if (ARN !== uri) {
        throw secretError(
          "secretMissing",
          uri,
          "Secrets Manager has no secret of exactly this ARN (write all of it, with the hyphen and six characters at its end)",
        );
      }
      const bytes = SecretString === undefined ? SecretBinary : Buffer.from(SecretString);
      if (bytes === undefined) throw secretError("secretMalformed", uri, "has no value");
      return secretText(uri, bytes);
    },
  };
}

function translate(uri: string, error: unknown) {
  const name = error instanceof Error ? error.name : "";
  switch (name) {
    case "ResourceNotFoundException":
      return secretError("secretMissing", uri, "Secrets Manager has no such secret");
    case "InvalidRequestException":
      return secretError("secretMissing", uri, "the secret is marked for deletion");
    case "AccessDeniedException":
    case "DecryptionFailure":
      return secretError(
        "secretDenied",
        uri,
        `Secrets Manager does not let Penstock read it (${name})`,
      );
    default:
      break;
  }
  // The SDK's errors carry the request with its signature: they are told by name only.
  return secretError("secretUnavailable", uri, `Secrets Manager ${wordsFor(error)}`);
}

/** The guarded client's messages are safe; of other errors the name, when it looks like one. */
function wordsFor(error: unknown): string {
  if (error instanceof PenstockError) return `can't be asked: ${error.message.slice(0, -1)}`;
  const name = error instanceof Error ? error.name : "";
  if (name === "CredentialsProviderError") {
    return "can't be asked: the AWS SDK finds no credentials for this process";
  }
  const isAnswer = error instanceof Error && "$fault" in error;
  return isAnswer && /^[A-Za-z]{1,64}$/.test(name) ? `answers with ${name}` : "can't be asked";
}
