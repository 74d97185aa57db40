import { generateKeyPairSync } from "node:crypto";
import { inspect } from "node:util";
import {
  createTestAuthority,
  type OAuthIssuer,
  type OAuthIssuerOptions,
  plantedSecret,
  startOAuthIssuer,
  waitUntil,
} from "@penstock/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import { entry, type SecretsWorld, startSecrets } from "./secrets-world.ts";

const CLIENT = "orders client";
const SECRET = plantedSecret("oauth+client/secret");

async function startIssuer(options: OAuthIssuerOptions = {}) {
  const authority = await createTestAuthority("Identity provider");
  const tls = await authority.issue(["localhost"]);
  const issuer = await startOAuthIssuer({ tls, ...options });
  onTestFinished(() => issuer.close());
  issuer.clients.set(CLIENT, SECRET);
  const client = {
    oauthTokenEndpointUrl: issuer.tokenEndpoint,
    oauthClientId: CLIENT,
    oauthClientSecret: SECRET,
    oauthIdpCaCertificate: authority.certificate,
  };
  return { issuer, client };
}

async function start(options: OAuthIssuerOptions = {}) {
  const { issuer, client } = await startIssuer(options);
  const world = await startSecrets({ secretsWithoutPolicy: true });
  await world.put("oauth", client);
  return { issuer, client, world };
}

function open({ secrets }: SecretsWorld, ...more: ReturnType<typeof entry>[]) {
  return secrets.sourceSecurity.open(
    [entry("OAUTHBEARER_AUTH", "file:oauth"), ...more],
    ["kafka:9096"],
  );
}

async function token(world: SecretsWorld): Promise<string> {
  const { sasl } = await open(world).credentials("kafka", 9096);
  return sasl?.mechanism === "OAUTHBEARER" ? sasl.token : "";
}

const idOf = (issuer: OAuthIssuer, text: string): unknown => issuer.verify(text)?.jti;

describe("OAUTHBEARER_AUTH, against a local issuer over TLS", () => {
  it("gets a token with client credentials, scope and audience, once for everybody, and gives the extensions", async () => {
    const { issuer, world } = await start();
    const more = [
      entry("OAUTHBEARER_SCOPE", "kafka read"),
      entry("OAUTHBEARER_AUDIENCE", "orders-cluster"),
      entry("OAUTHBEARER_LOGICAL_CLUSTER", "lkc-1"),
      entry("OAUTHBEARER_IDENTITY_POOL", "pool-1"),
    ];
    const ask = () => open(world, ...more).credentials("kafka", 9096);
    const [first, second] = await Promise.all([ask(), ask()]);
    await ask();
    expect(first.tls).toEqual({
      ca: null,
      certificate: null,
      privateKey: null,
      privateKeyPassword: null,
    });
    expect(first.sasl).toMatchObject({
      mechanism: "OAUTHBEARER",
      extensions: { logicalCluster: "lkc-1", identityPoolId: "pool-1" },
    });
    expect(second.sasl).toEqual(first.sasl);
    expect(issuer.requests).toEqual([
      { grant_type: "client_credentials", scope: "kafka read", audience: "orders-cluster" },
    ]);
    const given = first.sasl?.mechanism === "OAUTHBEARER" ? first.sasl.token : "";
    expect(issuer.verify(given)).toMatchObject({
      sub: CLIENT,
      scope: "kafka read",
      aud: "orders-cluster",
    });
  });

  it("gives the client in the body to an endpoint that takes it there only", async () => {
    const { issuer, world } = await start({ takesHeader: false });
    expect(issuer.verify(await token(world))).toMatchObject({ sub: CLIENT });
  });

  it("gets a token with a signed assertion (RFC 7523)", async () => {
    const { issuer, client, world } = await start();
    const { publicKey, privateKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
    const { oauthClientSecret: _secret, ...rest } = client;
    await world.put("oauth", {
      ...rest,
      oauthClientEmail: "orders@example",
      oauthPrivateKey: privateKey.export({ type: "pkcs8", format: "pem" }),
      oauthTokenExpirationSeconds: "600",
    });
    await expect(token(world)).rejects.toMatchObject({ code: "secretMalformed" });
    issuer.assertionKeys.set("orders@example", publicKey);
    const given = await waitUntil("a token", () => token(world));
    expect(issuer.verify(given)).toMatchObject({ sub: "orders@example" });
    expect(issuer.requests.at(-1)).toMatchObject({
      grant_type: "urn:ietf:params:oauth:grant-type:jwt-bearer",
      client_id: CLIENT,
    });
  });

  it("gets the next token before the old one expires", async () => {
    const { issuer, world } = await start({ lifetimeSeconds: 4 });
    const first = await token(world);
    const second = await waitUntil("the next token", async () => {
      const now = await token(world);
      return now === first ? null : now;
    });
    expect(idOf(issuer, second)).not.toBe(idOf(issuer, first));
  });

  it("gets another token after the brokers refused one, and with a rotated client secret", async () => {
    const { issuer, client, world } = await start();
    const source = open(world);
    const first = await source.credentials("kafka", 9096);
    await waitUntil("another token", async () => {
      source.refused(first.version);
      await source.credentials("kafka", 9096);
      return issuer.issued.length === 2;
    });
    issuer.clients.set(CLIENT, "rotated");
    await world.put("oauth", { ...client, oauthClientSecret: "rotated" });
    const rotated = await waitUntil("the rotated secret", async () => {
      const now = await source.credentials("kafka", 9096);
      return now.version === first.version ? null : now;
    });
    expect(rotated.sasl).toMatchObject({ mechanism: "OAUTHBEARER" });
    expect(issuer.issued).toHaveLength(3);
  });

  it("S-04, S-06, S-21: redirects, large answers, silence, other authorities and plain HTTP get no token", async () => {
    const { issuer, client, world } = await start();
    const refusals: [NonNullable<OAuthIssuer["misbehave"]>, string][] = [
      [
        (_request, response) => response.writeHead(307, { location: issuer.tokenEndpoint }).end(),
        "redirects",
      ],
      [(_request, response) => response.end(Buffer.alloc(1024 * 1024)), "too large"],
      [(_request, response) => response.end('{"access_token": ["x"]}'), "no bearer token"],
      [(request) => request.destroy(), "connection broke"],
    ];
    for (const [misbehave, words] of refusals) {
      issuer.misbehave = misbehave;
      await waitUntil(words, async () => {
        const error: unknown = await token(world).catch((caught: unknown) => caught);
        expect(error).toMatchObject({ code: "secretUnavailable" });
        return String(error).includes(words);
      });
    }
    issuer.misbehave = null;
    const { oauthIdpCaCertificate: _ca, ...untrusting } = client;
    await world.put("oauth", untrusting);
    await waitUntil("the refusal of its authority", async () => {
      const error: unknown = await token(world).catch((caught: unknown) => caught);
      return String(error).includes("certificate is refused");
    });
    const plain = client.oauthTokenEndpointUrl.replace("https:", "http:");
    await world.put("oauth", { ...client, oauthTokenEndpointUrl: plain });
    await waitUntil("the refusal of plain HTTP", async () => {
      const error: unknown = await token(world).catch((caught: unknown) => caught);
      return String(error).includes("must be an https URL");
    });
    expect(issuer.issued).toHaveLength(0);
  });

  it("S-01: an endpoint at a private address needs the list, whatever brokers may have; and never one of Penstock's ports", async () => {
    const { issuer, client } = await startIssuer();
    const closed = await startSecrets(
      { secretsWithoutPolicy: true },
      { addresses: { allowedTokenEndpoints: [] } },
    );
    await closed.put("oauth", client);
    await expect(token(closed)).rejects.toMatchObject({
      code: "addressDenied",
      message: expect.stringContaining("PENSTOCK_ALLOWED_ADDRESSES_TOKEN_ENDPOINTS"),
    });
    const own = await startSecrets({ secretsWithoutPolicy: true }, { ownPorts: [issuer.port] });
    await own.put("oauth", client);
    await expect(token(own)).rejects.toMatchObject({ code: "addressDenied" });
    expect(issuer.requests).toHaveLength(0);
  });

  it("plain HTTP works for an endpoint that the development setting lists", async () => {
    const issuer = await startOAuthIssuer();
    onTestFinished(() => issuer.close());
    issuer.clients.set(CLIENT, SECRET);
    const world = await startSecrets({
      secretsWithoutPolicy: true,
      plaintextTokenEndpoints: [`localhost:${issuer.port}`],
    });
    await world.put("oauth", {
      oauthTokenEndpointUrl: issuer.tokenEndpoint,
      oauthClientId: CLIENT,
      oauthClientSecret: SECRET,
    });
    expect(issuer.verify(await token(world))).toMatchObject({ sub: CLIENT });
  });

  it("I-21: neither credentials nor failures show the client secret or the token", async () => {
    const { issuer, world } = await start();
    const credentials = await open(world).credentials("kafka", 9096);
    const given = credentials.sasl?.mechanism === "OAUTHBEARER" ? credentials.sasl.token : "?";
    issuer.misbehave = (_request, response) => {
      response.writeHead(400).end(JSON.stringify({ error: SECRET, error_description: SECRET }));
    };
    const other = await startSecrets({ secretsWithoutPolicy: true }, { dir: world.dir });
    const error: unknown = await token(other).catch((caught: unknown) => caught);
    expect(error).toMatchObject({ code: "secretMalformed" });
    const shown = [credentials, credentials.sasl, error, world.secrets, open(world)]
      .flatMap((value) => [inspect(value, { depth: 12, showHidden: true }), JSON.stringify(value)])
      .join();
    for (const text of [SECRET, encodeURIComponent(SECRET), given]) {
      expect(shown).not.toContain(text);
    }
  });
});
