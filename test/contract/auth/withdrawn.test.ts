// Streams outlive the question who they are: they end when their credential does, and what was put out is answered in each protocol.
import { connect } from "node:http2";
import { Code, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { fleet } from "@penstock/proto";
import {
  createRpcTransport,
  openSecurity,
  parseSettings,
  SECURITY_SETTINGS,
  SETTINGS,
} from "@penstock/runtime";
import { waitUntil } from "@penstock/testkit";
import { describe, expect, it, onTestFinished } from "vitest";
import {
  capturedLog,
  type FleetImplementation,
  startFleetServer,
} from "../runtime/fleet-service.ts";
import { signal } from "../runtime/stoppable.ts";
import { bearer, CredentialsFile } from "./auth-world.ts";

const NODE = "roles: [node], service: poller";
const RAW_PATH = "/penstock.invoker.v1.InvokerService/InvokeStream";

const STREAMING: FleetImplementation = {
  getPositions: () => ({ positions: [] }),
  async *join(requests) {
    for await (const _request of requests) yield {};
  },
};

async function startServer(credentials: CredentialsFile, raw: () => void = () => {}) {
  const { log, lines } = capturedLog();
  const settings = parseSettings(
    { host: SETTINGS.host, ...SECURITY_SETTINGS },
    { PENSTOCK_CREDENTIALS_FILE: credentials.path },
  );
  const security = await openSecurity(settings, { log, reloadIntervalMs: 20 });
  const server = await startFleetServer(STREAMING, {
    security,
    recheckMs: 20,
    stopMsMax: 200,
    rawStreams: {
      [RAW_PATH]: (stream) => {
        raw();
        stream.respond({ ":status": 200 });
        stream.resume();
        stream.on("end", () => stream.end());
      },
    },
  });
  onTestFinished(async () => {
    await server.stop();
    security.close();
    credentials.delete();
  });
  return { server, lines };
}

function clientOf(address: string, token: string | null) {
  const transport = createRpcTransport({ address, security: bearer(token) });
  onTestFinished(() => transport.close());
  return createClient(fleet.FleetService, transport);
}

async function* forEver() {
  yield {};
  await new Promise(() => {});
}

function openRaw(address: string, token: string | null) {
  const session = connect(`http://${address}`);
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  const stream = session.request({
    ":method": "POST",
    ":path": RAW_PATH,
    "content-type": "application/grpc+proto",
    ...(token !== null && { authorization: `Bearer ${token}` }),
  });
  stream.on("error", () => {});
  return { session, stream };
}

describe("a credential that is taken back", () => {
  it("S-10: ends its streams; a rotated one goes on", async () => {
    const credentials = new CredentialsFile();
    const [leaving, staying] = [credentials.put("leaving", NODE), credentials.put("staying", NODE)];
    credentials.write();
    const { server } = await startServer(credentials);
    const begun = [signal(), signal()] as const;
    const read = async (token: string, index: 0 | 1) => {
      for await (const _answer of clientOf(server.address, token).join(forEver())) {
        begun[index].resolve();
      }
    };
    const ends = { staying: false };
    const left = read(leaving, 0).catch((error: unknown) => error);
    void read(staying, 1)
      .catch(() => {})
      .finally(() => {
        ends.staying = true;
      });
    await Promise.all(begun.map(({ promise }) => promise));
    credentials.remove("leaving");
    credentials.write();
    expect(await left).toMatchObject({
      code: Code.Unauthenticated,
      rawMessage: "The credential has expired or was taken back.",
    });
    await expect(clientOf(server.address, leaving).getPositions({})).rejects.toMatchObject({
      code: Code.Unauthenticated,
    });
    await clientOf(server.address, staying).getPositions({});
    expect(ends.staying).toBe(false);
  });

  it("S-10: loses what it may no longer do, and a broken file changes nothing", async () => {
    const credentials = new CredentialsFile();
    const token = credentials.put("ci", NODE);
    credentials.write();
    const { server, lines } = await startServer(credentials);
    const client = clientOf(server.address, token);
    credentials.file("credentials.yaml", "tokens: [");
    await waitUntil("the broken file was noticed", () =>
      lines.some((line) => line.includes("the one before stays in use")),
    );
    await client.getPositions({});
    credentials.file(
      "credentials.yaml",
      `tokens: [{ name: ci, sha256: ${await digest(token)}, roles: [viewer] }]`,
    );
    await waitUntil("the role is gone", async () => {
      const error = await client.getPositions({}).catch((caught: unknown) => caught);
      return (error as { code?: Code }).code === Code.PermissionDenied;
    });
  });

  it("S-10: tells the client of an invoke stream to go away, and lets its calls finish", async () => {
    const credentials = new CredentialsFile();
    const token = credentials.put("poller", NODE);
    credentials.put("other", NODE);
    credentials.write();
    const { server } = await startServer(credentials);
    const { session, stream } = openRaw(server.address, token);
    const goaway = signal();
    session.on("goaway", () => goaway.resolve());
    await new Promise((resolve) => stream.once("response", resolve));
    credentials.remove("poller");
    credentials.write();
    await goaway.promise;
    expect(stream.destroyed).toBe(false);
    const closed = new Promise((resolve) => stream.once("close", resolve));
    stream.end();
    await closed;
    expect(stream.rstCode).toBe(0);
  });
});

describe("a denied call", () => {
  it("S-10: of the invoke stream never reaches its handler", async () => {
    const credentials = new CredentialsFile();
    const viewer = credentials.put("viewer", "roles: [viewer]");
    credentials.write();
    let reached = 0;
    const { server } = await startServer(credentials, () => {
      reached++;
    });
    for (const [token, status] of [
      [null, "16"],
      ["wrong-token-of-nobody", "16"],
      [viewer, "7"],
    ] as const) {
      const { stream } = openRaw(server.address, token);
      stream.write(Buffer.alloc(100_000));
      const headers = await new Promise<Record<string, unknown>>((resolve) => {
        stream.once("response", resolve);
      });
      expect(headers["grpc-status"]).toBe(status);
    }
    expect(reached).toBe(0);
  });

  it.each([
    ["gRPC", createGrpcTransport, true],
    ["gRPC with JSON", createGrpcTransport, false],
    ["gRPC-Web", createGrpcWebTransport, true],
    ["gRPC-Web with JSON", createGrpcWebTransport, false],
    ["Connect", createConnectTransport, true],
    ["Connect with JSON", createConnectTransport, false],
  ] as const)(
    "S-10: is told so in %s, single or stream",
    async (_name, create, useBinaryFormat) => {
      const credentials = new CredentialsFile();
      credentials.put("viewer", "roles: [viewer]");
      credentials.write();
      const { server } = await startServer(credentials);
      const client = createClient(
        fleet.FleetService,
        create({
          baseUrl: `http://${server.address}`,
          httpVersion: "2",
          useBinaryFormat,
          idleConnectionTimeoutMs: 100,
        }),
      );
      const authorization = `Bearer ${credentials.token("viewer")}`;
      for (const [headers, code] of [
        [{}, Code.Unauthenticated],
        [{ authorization }, Code.PermissionDenied],
      ] as const) {
        await expect(client.getPositions({}, { headers })).rejects.toMatchObject({ code });
        const stream = async () => {
          for await (const _answer of client.join(forEver(), { headers })) break;
        };
        await expect(stream()).rejects.toMatchObject({ code });
      }
    },
  );
});

async function digest(token: string): Promise<string> {
  const bytes = await crypto.subtle.digest("SHA-256", Buffer.from(token));
  return Buffer.from(bytes).toString("hex");
}
