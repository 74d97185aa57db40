// JSON Web Tokens of an issuer whose key set is fetched over HTTP, as the services fetch it, or read from a file.
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Code, createClient } from "@connectrpc/connect";
import { createKeySetFetch } from "@penstock/egress";
import { fleet } from "@penstock/proto";
import {
  createRpcTransport,
  openSecurity,
  parseSettings,
  SECURITY_SETTINGS,
  SETTINGS,
} from "@penstock/runtime";
import { waitUntil } from "@penstock/testkit";
import { exportJWK, generateKeyPair, SignJWT } from "jose";
import { expect, it, onTestFinished } from "vitest";
import { capturedLog, ECHO, startFleetServer } from "../runtime/fleet-service.ts";
import { bearer, CredentialsFile } from "./auth-world.ts";

const ISSUER = "https://issuer.example";
const NODE = { roles: ["node"], penstock_service: "poller" };

async function newKey(kid: string) {
  const { privateKey, publicKey } = await generateKeyPair("ES256");
  const sign = (claims: object) =>
    new SignJWT({ sub: "node-1", iss: ISSUER, aud: "penstock", ...claims })
      .setProtectedHeader({ alg: "ES256", kid })
      .setExpirationTime("5m")
      .sign(privateKey);
  return { jwk: { ...(await exportJWK(publicKey)), kid }, sign };
}

async function startServer(keys: string, folder: CredentialsFile = new CredentialsFile()) {
  const settings = parseSettings(
    { host: SETTINGS.host, ...SECURITY_SETTINGS },
    { PENSTOCK_JWT_ISSUER: ISSUER, PENSTOCK_JWT_AUDIENCE: "penstock", PENSTOCK_JWT_KEYS: keys },
  );
  const { log, lines } = capturedLog();
  const security = await openSecurity(settings, {
    log,
    fetchJson: createKeySetFetch({ allowPrivateAddresses: false }),
    reloadIntervalMs: 20,
  });
  const server = await startFleetServer(ECHO, { security });
  onTestFinished(async () => {
    await server.stop();
    security.close();
    folder.delete();
  });
  const call = async (token: string) => {
    const transport = createRpcTransport({ address: server.address, security: bearer(token) });
    onTestFinished(() => transport.close());
    await createClient(fleet.FleetService, transport).getPositions({});
  };
  return { call, lines };
}

it("S-10: a key set behind a URL", async () => {
  const key = await newKey("one");
  const answer = { status: 503 };
  const issuer = createServer((_request, response) => {
    response.writeHead(answer.status);
    response.end(JSON.stringify({ keys: [key.jwk] }));
  });
  await new Promise<void>((resolve) => issuer.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void issuer.close());
  const { port } = issuer.address() as AddressInfo;
  const down = await startServer(`http://127.0.0.1:${port}/keys`);
  await expect(down.call(await key.sign(NODE))).rejects.toMatchObject({ code: Code.Unavailable });
  answer.status = 200;
  const { call, lines } = await startServer(`http://127.0.0.1:${port}/keys`);
  const good = await key.sign(NODE);
  await call(good);
  await expect(call(await key.sign({ roles: ["admin"] }))).rejects.toMatchObject({
    code: Code.PermissionDenied,
  });
  const stranger = await newKey("one");
  await expect(call(await stranger.sign(NODE))).rejects.toMatchObject({
    code: Code.Unauthenticated,
  });
  await expect(call("not.a.token")).rejects.toMatchObject({ code: Code.Unauthenticated });
  expect(lines.join("")).not.toContain(good.split(".")[2]);
  expect(lines.join("")).toContain('"subject":"jwt:node-1"');
});

it("S-10: a key set in a file, of which a key is taken back", async () => {
  const [old, next] = [await newKey("old"), await newKey("next")];
  const folder = new CredentialsFile();
  const keys = folder.file("keys.json", JSON.stringify({ keys: [old.jwk] }));
  const { call } = await startServer(keys, folder);
  await call(await old.sign(NODE));
  folder.file("keys.json", JSON.stringify({ keys: [next.jwk] }));
  const token = await next.sign(NODE);
  await waitUntil("the new key is known", () => call(token).then(() => true));
  await expect(call(await old.sign({ ...NODE, jti: "2" }))).rejects.toMatchObject({
    code: Code.Unauthenticated,
  });
});
