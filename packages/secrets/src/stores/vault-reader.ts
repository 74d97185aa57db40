import { readFile } from "node:fs/promises";
import { PenstockError } from "@penstock/core";
import type { GuardedAnswer, GuardedHttp } from "@penstock/egress";
import { secretError } from "./secret-error.ts";
import type { SecretReader } from "./secret-reader.ts";

/** `vault:`: the KV version 2 engine of HashiCorp Vault or OpenBao (https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2). */
export interface VaultSettings {
  /** Such as https://vault.internal:8200. */
  readonly address: string;
  /** Read again for each request, so an agent may renew it. */
  readonly tokenFile: string;
  readonly namespace: string | null;
  readonly mount: string;
  /** PEM file of the roots; null = the system's. */
  readonly caFile: string | null;
}

export function createVaultReader(
  settings: VaultSettings | null,
  http: GuardedHttp,
): SecretReader<"vault"> {
  return {
    isRemote: true,
    async read({ uri, path }) {
      if (settings === null) {
        throw secretError("secretMissing", uri, "needs PENSTOCK_VAULT_ADDRESS, which is not set");
      }
      return secretOf(uri, await ask(settings, http, uri, path));
    },
  };
}

async function ask(
  settings: VaultSettings,
  http: GuardedHttp,
  uri: string,
  path: string,
): Promise<GuardedAnswer> {
  const { address, namespace, mount, caFile, tokenFile } = settings;
  const token = (await readSettingFile(uri, "PENSTOCK_VAULT_TOKEN_FILE", tokenFile)).trim();
  if (!/^[\x21-\x7e]+$/.test(token)) {
    throw secretError("secretUnavailable", uri, "PENSTOCK_VAULT_TOKEN_FILE holds no token");
  }
  const ca = caFile === null ? null : await readSettingFile(uri, "PENSTOCK_VAULT_CA_FILE", caFile);
  const encoded = [...mount.split("/"), "data", ...path.split("/")].map(encodeURIComponent);
  try {
    return await http.request({
      url: `${address.replace(/\/+$/, "")}/v1/${encoded.join("/")}`,
      headers: {
        "x-vault-token": token,
        "x-vault-request": "true",
        ...(namespace !== null && { "x-vault-namespace": namespace }),
      },
      ca,
    });
  } catch (error) {
    if (!(error instanceof PenstockError)) throw error;
    throw secretError("secretUnavailable", uri, `Vault: ${error.message.slice(0, -1)}`, error);
  }
}

async function readSettingFile(uri: string, setting: string, path: string): Promise<string> {
  try {
    return await readFile(path, "utf8");
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code ?? "unknown";
    throw secretError("secretUnavailable", uri, `${setting} can't be read (${code})`, error);
  }
}

function secretOf(uri: string, { status, body }: GuardedAnswer): string {
  // A deleted version is a 404 as well.
  if (status === 404) throw secretError("secretMissing", uri, "Vault has no such secret");
  if (status === 403) {
    throw secretError("secretDenied", uri, "Vault does not let Penstock's token read it (403)");
  }
  if (status !== 200) {
    throw secretError("secretUnavailable", uri, `Vault answers with status ${status}`);
  }
  const data = memberOf(memberOf(parse(body), "data"), "data");
  if (data === null || typeof data !== "object" || Array.isArray(data)) {
    throw secretError("secretMalformed", uri, "Vault's answer is not that of a KV v2 mount");
  }
  return JSON.stringify(data);
}

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    // The parser quotes what it read; the caller says that it is no answer of KV v2.
    return null;
  }
}

function memberOf(value: unknown, name: string): unknown {
  if (value === null || typeof value !== "object" || !Object.hasOwn(value, name)) return null;
  return (value as Record<string, unknown>)[name];
}
