import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createSecureServer } from "node:http2";
import { createServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";
import { promisify } from "node:util";
import { afterEach, describe, expect, it, onTestFinished } from "vitest";
import { startEgress } from "./egress-world.ts";

const run = promisify(execFile);
const PASSPHRASE = "changeit";
const ROOTS = getCACertificates("default");

/** A key and a self-signed certificate for localhost, made with the JDK's keytool. */
async function makeIdentity(): Promise<{ pfx: Buffer; certificate: string }> {
  const folder = await mkdtemp(join(tmpdir(), "penstock-tls-"));
  onTestFinished(() => rm(folder, { recursive: true }));
  const store = join(folder, "identity.p12");
  const common = ["-keystore", store, "-storepass", PASSPHRASE, "-alias", "f"];
  const subject = ["-dname", "CN=localhost", "-ext", "SAN=dns:localhost", "-validity", "2"];
  const key = ["-keyalg", "EC", "-groupname", "secp256r1", "-storetype", "PKCS12"];
  await run("keytool", ["-genkeypair", ...common, ...subject, ...key]);
  const { stdout } = await run("keytool", ["-exportcert", "-rfc", ...common]);
  return { pfx: await readFile(store), certificate: stdout };
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    if ("closeAllConnections" in server)
      (server as ReturnType<typeof createServer>).closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  return (server.address() as AddressInfo).port;
}

afterEach(() => setDefaultCACertificates(ROOTS));

describe("a call over TLS", () => {
  it("S-21, F40: an unknown authority and a wrong name are refused uncharged, a known one is called", async () => {
    const { pfx, certificate } = await makeIdentity();
    const server = createServer({ pfx, passphrase: PASSPHRASE }, (request, response) => {
      request.resume();
      response.end();
    });
    const port = await listen(server);
    const before = startEgress();
    const target = `https://localhost:${port}/`;
    await expect(before.invoker.invoke(before.define(target))).resolves.toMatchObject({
      kind: "unreachable",
    });
    setDefaultCACertificates([...ROOTS, certificate]);
    const { invoker, define } = startEgress();
    await expect(invoker.invoke(define(target))).resolves.toEqual({ kind: "success" });
    await expect(invoker.invoke(define(`https://127.0.0.1:${port}/`))).resolves.toMatchObject({
      kind: "unreachable",
    });
  });

  it("S-21: gRPC over TLS speaks h2 and verifies the name", async () => {
    const { pfx, certificate } = await makeIdentity();
    setDefaultCACertificates([...ROOTS, certificate]);
    const server = createSecureServer({ pfx, passphrase: PASSPHRASE });
    const sessions = new Set<{ close(): void }>();
    server.on("session", (session) => sessions.add(session));
    server.on("stream", (stream) => {
      stream.resume();
      stream.on("end", () => {
        stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(Buffer.alloc(5));
      });
    });
    const port = await listen(server);
    onTestFinished(() => {
      for (const session of sessions) session.close();
    });
    const { invoker, define } = startEgress();
    const at = (host: string) => define({ kind: "grpc", address: `${host}:${port}`, tls: true });
    await expect(invoker.invoke(at("localhost"))).resolves.toEqual({ kind: "success" });
    await expect(invoker.invoke(at("127.0.0.1"))).resolves.toMatchObject({ kind: "unreachable" });
  });
});
