import { mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { createServer, type RequestListener } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import type { SourceAccess, SourceAccessType } from "@penstock/core";
import { type AddressSettings, createAddressGuards } from "@penstock/egress";
import { systemClock } from "@penstock/runtime";
import { openSecrets, type Secrets, type SecretsSettings } from "@penstock/secrets";
import { onTestFinished } from "vitest";

/** What the contract tests of secrets share: a folder of secrets, servers of bare handlers, and secrets opened from settings. */
export interface SecretsWorld {
  readonly dir: string;
  readonly secrets: Secrets;
  /** What was logged, as text. */
  readonly log: string[];
  /** Writes a secret below the folder, as an agent does: by renaming. */
  put(name: string, content: unknown): Promise<void>;
  /** A policy beside a secret. */
  allow(name: string, ...brokers: string[]): Promise<void>;
}

const DEFAULTS: SecretsSettings = {
  secretsDir: null,
  secretsPolicies: null,
  secretsWithoutPolicy: false,
  secretsTtlMs: 60_000,
  secretsCacheMax: 100,
  secretsTimeoutMs: 5_000,
  secretsManager: "local",
  secretsManagerEndpoint: null,
  vaultAddress: null,
  vaultTokenFile: null,
  vaultNamespace: null,
  vaultMount: "secret",
  vaultCaFile: null,
  plaintextSaslBrokers: [],
  plaintextTokenEndpoints: [],
};

export async function startSecrets(
  settings: Partial<SecretsSettings> = {},
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly addresses?: Partial<AddressSettings>;
    readonly ownPorts?: readonly number[];
    readonly dir?: string;
  } = {},
): Promise<SecretsWorld> {
  const dir = options.dir ?? (await temporaryFolder());
  const log: string[] = [];
  const secrets = openSecrets({
    settings: { ...DEFAULTS, secretsDir: dir, ...settings },
    env: options.env ?? {},
    guards: createAddressGuards({
      settings: {
        allowPrivateAddresses: true,
        allowedTokenEndpoints: ["private"],
        ...options.addresses,
      },
      ownPorts: () => options.ownPorts ?? [],
    }),
    clock: systemClock,
    log: { warn: (message, fields) => log.push(`${message} ${JSON.stringify(fields)}`) },
  });
  const put = async (name: string, content: unknown): Promise<void> => {
    const path = join(dir, name);
    await mkdir(dirname(path), { recursive: true });
    const text = typeof content === "string" ? content : JSON.stringify(content);
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };
  return {
    dir,
    secrets,
    log,
    put,
    allow: (name, ...brokers) =>
      put(`${name}.policy.yaml`, `brokers: ${JSON.stringify(brokers)}\n`),
  };
}

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "penstock-secrets-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  return folder;
}

export const entry = (type: SourceAccessType, uri: string): SourceAccess => ({ type, uri });

/** A server that is closed with the test. Its port. */
export async function serve(listener: RequestListener, tls?: ServerOptions): Promise<number> {
  const server = tls === undefined ? createServer(listener) : createTlsServer(tls, listener);
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}
