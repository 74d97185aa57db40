// The hot path over TLS with a token: payloads of every size arrive as they were, and a break drops what has not left.
import { createHash, randomBytes } from "node:crypto";
import { INVOKE_STREAM_PATH, StreamServer } from "@penstock/invoker-service";
import {
  openSecurity,
  parseSettings,
  SECURITY_SETTINGS,
  SETTINGS,
  startRpcServer,
} from "@penstock/runtime";
import { createTestAuthority } from "@penstock/testkit";
import { expect, it, onTestFinished } from "vitest";
import { eventually, httpFunction, startEgress } from "../egress/egress-world.ts";
import { QUIET, startPool } from "../egress/stream-world.ts";
import { bearer, CredentialsFile } from "./auth-world.ts";

async function startInvoker(url: string) {
  const authority = await createTestAuthority();
  const { certificate, privateKey } = await authority.issue(["127.0.0.1"]);
  const credentials = new CredentialsFile();
  const token = credentials.put("poller", "roles: [node], service: poller");
  credentials.write();
  const settings = parseSettings(
    { host: SETTINGS.host, ...SECURITY_SETTINGS },
    {
      PENSTOCK_CREDENTIALS_FILE: credentials.path,
      PENSTOCK_TLS_CERTIFICATE_FILE: credentials.file("server.pem", certificate),
      PENSTOCK_TLS_KEY_FILE: credentials.file("server.key", privateKey),
    },
  );
  const security = await openSecurity(settings, { log: QUIET });
  const { invoker, define } = startEgress();
  const server = new StreamServer(invoker, { callsInFlightMax: 256, invokerId: "i" }, QUIET);
  const rpc = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    log: QUIET,
    routes: () => {},
    services: [],
    security,
    rawStreams: { [INVOKE_STREAM_PATH]: (stream, headers) => server.handle(stream, headers) },
    stopMsMax: 200,
  });
  onTestFinished(async () => {
    await rpc.stop();
    security.close();
    credentials.delete();
  });
  const tls = () => ({ ca: authority.certificate, certificate: null, key: null });
  const client = (shown: string) =>
    startPool([`127.0.0.1:${rpc.port}`], { security: bearer(shown, tls) });
  return { call: define(url), server, client, token };
}

it("I-13, S-21: payloads of every size arrive byte by byte, many at once", async () => {
  const seen = new Set<string>();
  const url = await httpFunction((request, response) => {
    const hash = createHash("sha256");
    request.on("data", (chunk: Buffer) => hash.update(chunk));
    request.on("end", () => {
      seen.add(hash.digest("hex"));
      response.end();
    });
  });
  const { call, client, token } = await startInvoker(url);
  const pool = client(token);
  const payloads = [1, 8_191, 8_193, 16_384, 70_000, 1_000_000, 5_000_000].flatMap((size) => [
    randomBytes(size),
    randomBytes(size + 1),
  ]);
  const outcomes = await Promise.all(payloads.map((payload) => pool.invoke({ ...call, payload })));
  expect(new Set(outcomes.map(({ kind }) => kind))).toEqual(new Set(["success"]));
  const sent = payloads.map((payload) => createHash("sha256").update(payload).digest("hex"));
  expect(sent.filter((hash) => !seen.has(hash))).toEqual([]);
});

it("S-10: a poller without a good token has no stream, and its calls are not made", async () => {
  let calls = 0;
  const url = await httpFunction((_request, response) => {
    calls++;
    response.end();
  });
  const { call, client } = await startInvoker(url);
  const pool = client("wrong-token-of-nobody");
  await eventually(() => [...pool.connections()][0]?.state).toBe("waiting");
  pool.close();
  await expect(pool.invoke(call)).resolves.toMatchObject({
    kind: "connectionLost",
    mayHaveRun: false,
  });
  expect(calls).toBe(0);
});

it("F48: a break in the middle of calls ends the stream on both sides", async () => {
  const url = await httpFunction((request) => void request.resume());
  const { call, server, client, token } = await startInvoker(url);
  const pool = client(token);
  const lost = pool.invoke({ ...call, payload: randomBytes(5_000_000) });
  await eventually(() => server.streams).toBe(1);
  pool.close();
  await expect(lost).resolves.toMatchObject({ kind: "connectionLost" });
  await eventually(() => server.streams).toBe(0);
});
