// TLS of listeners and of the calls between services.
import { get as httpsGet, type RequestOptions } from "node:https";
import { connect } from "node:net";
import { connect as connectTls } from "node:tls";
import { Code, createClient } from "@connectrpc/connect";
import { fleet } from "@penstock/proto";
import {
  type ClientTls,
  createRpcTransport,
  openSecurity,
  parseSettings,
  SECURITY_SETTINGS,
  SETTINGS,
  startHttpServer,
} from "@penstock/runtime";
import { createTestAuthority, type TestAuthority, waitUntil } from "@penstock/testkit";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { capturedLog, ECHO, fleetRoutes, startFleetServer } from "../runtime/fleet-service.ts";
import { bearer, CredentialsFile } from "./auth-world.ts";

const NAMES = ["127.0.0.1", "localhost"];
let servers: TestAuthority;
let clients: TestAuthority;
let strangers: TestAuthority;

beforeAll(async () => {
  servers = await createTestAuthority("Servers");
  clients = await createTestAuthority("Clients");
  strangers = await createTestAuthority("Clients");
});

async function start(options: { clientCa?: boolean; isExpired?: boolean; names?: string[] } = {}) {
  const credentials = new CredentialsFile();
  credentials.put("token", "roles: [node], service: poller");
  credentials.more = `certificates:
  - { name: by-name, dns: poller.internal, roles: [node], service: poller }
  - { name: by-subject, subject: "CN=ops", roles: [viewer] }
`;
  credentials.write();
  const issue = async () => {
    const { isExpired = false, names = NAMES } = options;
    const { certificate, privateKey } = await servers.issue(names, { isExpired });
    return {
      PENSTOCK_TLS_CERTIFICATE_FILE: credentials.file("server.pem", certificate),
      PENSTOCK_TLS_KEY_FILE: credentials.file("server.key", privateKey),
    };
  };
  const settings = parseSettings(
    { host: SETTINGS.host, ...SECURITY_SETTINGS },
    {
      PENSTOCK_CREDENTIALS_FILE: credentials.path,
      ...(await issue()),
      ...(options.clientCa === true && {
        PENSTOCK_TLS_CLIENT_CA_FILE: credentials.file("clients.pem", clients.certificate),
      }),
    },
  );
  const { log, lines } = capturedLog();
  const security = await openSecurity(settings, { log, reloadIntervalMs: 20 });
  const grpc = await startFleetServer(ECHO, { security, stopMsMax: 200 });
  const http = await startHttpServer({
    host: "127.0.0.1",
    port: 0,
    log,
    security,
    ready: () => ({ ok: true }),
    routes: fleetRoutes(ECHO),
    metrics: (_request, response) => response.end("metrics\n"),
    stopMsMax: 200,
  });
  onTestFinished(async () => {
    await Promise.all([grpc.stop(), http.stop()]);
    security.close();
    credentials.delete();
  });
  return { credentials, grpc, http, lines, issue };
}

/** Asks for positions and answers how many came. */
async function ask(
  address: string,
  tls: Partial<ClientTls>,
  token: string | null,
): Promise<number> {
  const full = { ca: servers.certificate, certificate: null, key: null, ...tls };
  const transport = createRpcTransport({ address, security: bearer(token, () => full) });
  try {
    const client = createClient(fleet.FleetService, transport);
    return (await client.getPositions({ partitions: [1] })).positions.length;
  } finally {
    transport.close();
  }
}

async function identity(by: TestAuthority, name: string, isExpired = false) {
  const { certificate, privateKey } = await by.issue([name], { commonName: name, isExpired });
  return { certificate, key: privateKey };
}

function get(port: number, path: string, options: RequestOptions = {}): Promise<number> {
  return new Promise((resolve, reject) => {
    const url = `https://127.0.0.1:${port}${path}`;
    httpsGet(url, { ca: servers.certificate, agent: false, ...options }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    }).on("error", reject);
  });
}

describe("a listener with TLS", () => {
  it("S-21: speaks it on both ports, and nothing else", async () => {
    const { grpc, http, credentials } = await start();
    const token = credentials.token("token");
    expect(await ask(grpc.address, {}, token)).toBe(1);
    expect(await get(http.port, "/healthz")).toBe(200);
    expect(await get(http.port, "/metrics")).toBe(401);
    const plain = createRpcTransport({ address: grpc.address, security: bearer(token) });
    onTestFinished(() => plain.close());
    await expect(createClient(fleet.FleetService, plain).getPositions({})).rejects.toMatchObject({
      code: Code.Unavailable,
    });
    await expect(fetch(`http://127.0.0.1:${http.port}/healthz`)).rejects.toThrow();
  });

  it.each([
    ["gRPC", "h2"],
    ["HTTP", "http/1.1"],
  ] as const)(
    "S-21: %s speaks %s over TLS 1.2 and 1.3, and no older version",
    async (which, alpn) => {
      const { grpc, http } = await start();
      const port = which === "gRPC" ? grpc.port : http.port;
      const handshake = (version: "TLSv1.1" | "TLSv1.2" | "TLSv1.3") =>
        new Promise<string>((resolve) => {
          const socket = connectTls({
            host: "127.0.0.1",
            port,
            ca: servers.certificate,
            minVersion: version,
            maxVersion: version,
            ALPNProtocols: ["h2", "http/1.1"],
            ...(version === "TLSv1.1" && { ciphers: "DEFAULT@SECLEVEL=0" }),
          });
          socket.once("secureConnect", () => {
            resolve(`${socket.getProtocol()} ${socket.alpnProtocol}`);
            socket.destroy();
          });
          socket.once("error", () => resolve("refused"));
        });
      expect(await handshake("TLSv1.2")).toBe(`TLSv1.2 ${alpn}`);
      expect(await handshake("TLSv1.3")).toBe(`TLSv1.3 ${alpn}`);
      expect(await handshake("TLSv1.1")).toBe("refused");
    },
  );

  it("S-21: takes a new certificate without a restart, and keeps the old one while the new one is broken", async () => {
    const { grpc, http, credentials, lines, issue } = await start();
    const serial = () =>
      new Promise<string>((resolve, reject) => {
        const socket = connectTls({ host: "127.0.0.1", port: http.port, ca: servers.certificate });
        socket.once("secureConnect", () => {
          resolve(socket.getPeerCertificate().serialNumber);
          socket.destroy();
        });
        socket.once("error", reject);
      });
    const first = await serial();
    credentials.file("server.pem", "-----BEGIN NONSENSE-----");
    await waitUntil("it was noticed", () => lines.some((line) => line.includes("is not good")));
    expect(await serial()).toBe(first);
    await issue();
    await waitUntil("the new one is shown", async () => (await serial()) !== first);
    expect(await ask(grpc.address, {}, credentials.token("token"))).toBe(1);
  });
});

describe("a call to another service", () => {
  it.each([
    ["whose authority is unknown", {}, () => ({ ca: strangers.certificate })],
    ["whose authority is not a public one", {}, () => ({ ca: null })],
    ["whose certificate has expired", { isExpired: true }, () => ({})],
    ["whose certificate is another's", { names: ["other.example"] }, () => ({})],
  ])("S-21, F19: is not made to one %s; the token stays here", async (_what, options, tls) => {
    const { grpc, credentials } = await start(options);
    await expect(ask(grpc.address, tls(), credentials.token("token"))).rejects.toMatchObject({
      code: Code.Unavailable,
    });
  });
});

describe("mutual TLS", () => {
  it("S-10, S-21: a certificate gets in as what the credentials file says of its name or subject", async () => {
    const { grpc, http } = await start({ clientCa: true });
    const node = await identity(clients, "poller.internal");
    const ops = await identity(clients, "ops");
    expect(await ask(grpc.address, node, null)).toBe(1);
    await expect(ask(grpc.address, ops, null)).rejects.toMatchObject({
      code: Code.PermissionDenied,
    });
    expect(await get(http.port, "/metrics", { cert: ops.certificate, key: ops.key })).toBe(200);
    expect(await get(http.port, "/metrics", { cert: node.certificate, key: node.key })).toBe(403);
  });

  it("S-10, S-21: nobody else does: a stranger's, an expired one, one that is not listed, none", async () => {
    const { grpc, http } = await start({ clientCa: true });
    const denied = [
      await identity(strangers, "poller.internal"),
      await identity(clients, "poller.internal", true),
      await identity(clients, "nobody"),
      {},
    ];
    for (const shown of denied) {
      await expect(ask(grpc.address, shown, null)).rejects.toMatchObject({
        code: Code.Unauthenticated,
      });
    }
    expect(await get(http.port, "/healthz")).toBe(200);
  });

  it("a token goes before a certificate, so that a process can have both", async () => {
    const { grpc, credentials } = await start({ clientCa: true });
    const stranger = await identity(strangers, "poller.internal");
    expect(await ask(grpc.address, stranger, credentials.token("token"))).toBe(1);
    const good = await identity(clients, "poller.internal");
    await expect(ask(grpc.address, good, "wrong-token-of-nobody")).rejects.toMatchObject({
      code: Code.Unauthenticated,
    });
  });
});

describe("a connection that never shakes hands", () => {
  it("S-20, L-3: delays the stop of a listener no longer than its limit", async () => {
    const { grpc, http } = await start();
    const sockets = [grpc.port, http.port].map((port) => connect({ host: "127.0.0.1", port }));
    const closed = sockets.map((socket) => {
      socket.on("error", () => {});
      return new Promise((resolve) => socket.once("close", resolve));
    });
    await Promise.all(sockets.map((socket) => new Promise((done) => socket.once("connect", done))));
    await Promise.all([grpc.stop(), http.stop()]);
    await Promise.all(closed);
  });
});
