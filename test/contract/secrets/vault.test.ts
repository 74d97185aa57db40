import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { inspect } from "node:util";
import { createTestAuthority, plantedSecret, waitUntil } from "@penstock/testkit";
import { describe, expect, it } from "vitest";
import { entry, type SecretsWorld, serve, startSecrets, temporaryFolder } from "./secrets-world.ts";

/**
 * The part of Vault that Penstock uses: reads of a KV version 2 engine with a token and a namespace, its status codes and its bodies
 * (https://developer.hashicorp.com/vault/api-docs/secret/kv/kv-v2#read-secret-version).
 */
async function startVaultStandIn() {
  const authority = await createTestAuthority("Vault authority");
  const { certificate, privateKey } = await authority.issue(["localhost"]);
  const vault = {
    token: "hvs.first",
    namespace: "team-a",
    /** Null: the latest version is deleted. */
    secrets: new Map<string, unknown>(),
    status: 200,
    reads: 0,
    url: "",
    ca: authority.certificate,
  };
  const port = await serve(
    (request, response) => {
      vault.reads++;
      const answer = (status: number, body: unknown): void => {
        response.writeHead(status, { "content-type": "application/json" });
        response.end(JSON.stringify(body));
      };
      if (vault.status !== 200) return answer(vault.status, { errors: ["Vault is sealed"] });
      if (request.headers["x-vault-token"] !== vault.token) {
        return answer(403, { errors: ["permission denied"] });
      }
      const path = /^\/v1\/kafka\/data\/(.+)$/.exec(request.url ?? "")?.[1];
      const name = decodeURIComponent(path ?? "");
      if (request.headers["x-vault-namespace"] !== vault.namespace || !vault.secrets.has(name)) {
        return answer(404, { errors: [] });
      }
      const data = vault.secrets.get(name);
      const metadata = { version: 3, destroyed: false, deletion_time: "" };
      answer(data === null ? 404 : 200, {
        request_id: "0d9c7d5e-0000-4000-8000-000000000001",
        lease_id: "",
        renewable: false,
        data: { data, metadata },
      });
    },
    { cert: certificate, key: privateKey },
  );
  vault.url = `https://localhost:${port}`;
  return vault;
}

async function start(settings: Parameters<typeof startSecrets>[0] = {}) {
  const vault = await startVaultStandIn();
  const folder = await temporaryFolder();
  const tokenFile = join(folder, "token");
  const caFile = join(folder, "ca.pem");
  await writeFile(tokenFile, `${vault.token}\n`);
  await writeFile(caFile, vault.ca);
  const world = await startSecrets({
    secretsWithoutPolicy: true,
    vaultAddress: vault.url,
    vaultTokenFile: tokenFile,
    vaultNamespace: vault.namespace,
    vaultMount: "kafka",
    vaultCaFile: caFile,
    secretsTtlMs: 1_000,
    ...settings,
  });
  return { vault, world, tokenFile };
}

function open({ secrets }: SecretsWorld, uri = "vault:team/orders") {
  return secrets.sourceSecurity.open([entry("SASL_SCRAM_512_AUTH", uri)], ["kafka:9096"]);
}

async function password(world: SecretsWorld, uri?: string): Promise<string | null> {
  const { sasl } = await open(world, uri).credentials("kafka", 9096);
  return sasl !== null && "password" in sasl ? sasl.password : null;
}

describe("vault: references, against a stand-in that speaks the wire of Vault's KV version 2 over TLS", () => {
  it("reads with token, namespace, mount and authority, and keeps what it read", async () => {
    const { vault, world } = await start({ secretsTtlMs: 60_000 });
    vault.secrets.set("team/orders", { username: "u", password: "p" });
    await expect(password(world)).resolves.toBe("p");
    await expect(password(world)).resolves.toBe("p");
    expect(vault.reads).toBe(1);
  });

  it("a secret that is missing, deleted, or no KV version 2, and a token that is refused, are told apart", async () => {
    const { vault, world, tokenFile } = await start();
    vault.secrets
      .set("deleted", null)
      .set("odd", ["a"])
      .set("login", { username: "u", password: "p" });
    for (const [uri, code] of [
      ["vault:absent", "secretMissing"],
      ["vault:deleted", "secretMissing"],
      ["vault:odd", "secretMalformed"],
    ]) {
      await expect(password(world, uri)).rejects.toMatchObject({ code });
    }
    await writeFile(tokenFile, "hvs.wrong");
    await expect(password(world, "vault:login")).rejects.toMatchObject({ code: "secretDenied" });
    // An agent renewed it.
    await writeFile(tokenFile, vault.token);
    await waitUntil("the token is read again", () => password(world, "vault:login"));
  });

  it("I-19: while Vault is sealed or away the last value stays in use; what was never read is unavailable", async () => {
    const { vault, world } = await start();
    vault.secrets.set("team/orders", { username: "u", password: "first" });
    await password(world);
    vault.status = 503;
    const readsBefore = vault.reads;
    await waitUntil("Vault is asked again", async () => {
      expect(await password(world)).toBe("first");
      return vault.reads > readsBefore;
    });
    expect(world.log.join()).toContain("vault:team/orders");
    await expect(password(world, "vault:other")).rejects.toMatchObject({
      code: "secretUnavailable",
      message: expect.stringContaining("status 503"),
    });
  });

  it("a password that was rotated is read as soon as the brokers refuse the old one", async () => {
    const { vault, world } = await start({ secretsTtlMs: 3_600_000 });
    vault.secrets.set("team/orders", { username: "u", password: "first" });
    const source = open(world);
    const before = await source.credentials("kafka", 9096);
    vault.secrets.set("team/orders", { username: "u", password: "second" });
    const after = await waitUntil("the new password", async () => {
      source.refused(before.version);
      const now = await source.credentials("kafka", 9096);
      return now.version === before.version ? null : now;
    });
    expect(after.sasl).toMatchObject({ password: "second" });
  });

  it("S-21, S-01: without its authority, at an address that is not listed, or at a port of Penstock, Vault is not asked", async () => {
    const { vault, world } = await start({ vaultCaFile: null });
    await expect(password(world)).rejects.toThrow("certificate is refused");
    const port = Number(new URL(vault.url).port);
    const settings = {
      secretsWithoutPolicy: true,
      vaultAddress: vault.url,
      vaultTokenFile: "/dev/null",
    };
    const folder = await temporaryFolder();
    await writeFile(join(folder, "token"), vault.token);
    settings.vaultTokenFile = join(folder, "token");
    const elsewhere = await startSecrets(settings, { addresses: { allowedVault: ["10.0.0.0/8"] } });
    await expect(password(elsewhere)).rejects.toThrow("PENSTOCK_ALLOWED_ADDRESSES_VAULT");
    const own = await startSecrets(settings, { ownPorts: [port] });
    await expect(password(own)).rejects.toThrow("belongs to Penstock itself");
    expect(vault.reads).toBe(0);
  });

  it("I-21: no failure shows the token or the secret", async () => {
    const { vault, world, tokenFile } = await start();
    const secret = plantedSecret("vault");
    vault.token = secret;
    await writeFile(tokenFile, secret);
    vault.secrets
      .set("half", { username: "u", pass: secret })
      .set("deep", { username: { a: secret } });
    for (const uri of ["vault:half", "vault:deep", "vault:absent"]) {
      const error: unknown = await password(world, uri).catch((caught: unknown) => caught);
      expect(error).toBeInstanceOf(Error);
      expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
    }
    vault.status = 500;
    const error: unknown = await password(world, "vault:other").catch((caught: unknown) => caught);
    expect(inspect(error, { depth: 9, showHidden: true })).not.toContain(secret);
  });
});
