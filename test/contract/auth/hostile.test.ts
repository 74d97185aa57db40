// What a stranger sends, or when it leaves, never looks like a bug, which would end the process; and strangers don't keep the others out.
import { once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { connect as connectSocket } from "node:net";
import { Code, createClient } from "@connectrpc/connect";
import { fleet } from "@penstock/proto";
import {
  createRpcTransport,
  health,
  openSecurity,
  parseSettings,
  type RpcServerOptions,
  SECURITY_SETTINGS,
  SETTINGS,
} from "@penstock/runtime";
import { createTestAuthority, type TestAuthority, waitUntil } from "@penstock/testkit";
import { beforeAll, describe, expect, it, onTestFinished } from "vitest";
import { capturedLog, ECHO, startFleetServer } from "../runtime/fleet-service.ts";
import { bearer, CredentialsFile } from "./auth-world.ts";

const RAW_PATH = "/penstock.invoker.v1.InvokerService/InvokeStream";
const SPIFFE = "spiffe://penstock/poller";

let servers: TestAuthority;
let clients: TestAuthority;
let strangers: TestAuthority;

beforeAll(async () => {
  servers = await createTestAuthority("Servers");
  clients = await createTestAuthority("Clients");
  strangers = await createTestAuthority("Clients");
});

async function start(isTls: boolean, options: Partial<RpcServerOptions> = {}) {
  const credentials = new CredentialsFile();
  const token = credentials.put("token", "roles: [node], service: poller");
  credentials.more = `certificates:
  - { name: spiffe, uri: "${SPIFFE}", roles: [node], service: poller }
`;
  credentials.write();
  const { certificate, privateKey } = await servers.issue(["127.0.0.1"]);
  const settings = parseSettings(
    { host: SETTINGS.host, ...SECURITY_SETTINGS },
    {
      PENSTOCK_CREDENTIALS_FILE: credentials.path,
      ...(isTls && {
        PENSTOCK_TLS_CERTIFICATE_FILE: credentials.file("server.pem", certificate),
        PENSTOCK_TLS_KEY_FILE: credentials.file("server.key", privateKey),
        PENSTOCK_TLS_CLIENT_CA_FILE: credentials.file("clients.pem", clients.certificate),
      }),
    },
  );
  const { log } = capturedLog();
  const security = await openSecurity(settings, { log });
  let raw = 0;
  const server = await startFleetServer(ECHO, {
    security,
    stopMsMax: 200,
    rawStreams: {
      [RAW_PATH]: (stream) => {
        raw++;
        stream.respond({ ":status": 200, "grpc-status": "0" }, { endStream: true });
      },
    },
    ...options,
  });
  onTestFinished(async () => {
    await server.stop();
    security.close();
    credentials.delete();
  });
  const ask = async () => {
    const tls = isTls ? () => ({ ca: servers.certificate, certificate: null, key: null }) : null;
    const transport = createRpcTransport({
      address: server.address,
      security: bearer(token, tls),
    });
    try {
      await createClient(fleet.FleetService, transport).getPositions({});
    } finally {
      transport.close();
    }
  };
  return { server, token, ask, reached: () => raw };
}

function open(address: string, shown: object | null = null): ClientHttp2Session {
  const session =
    shown === null
      ? connect(`http://${address}`)
      : connect(`https://${address}`, { ca: servers.certificate, ...shown });
  session.on("error", () => {});
  onTestFinished(() => session.destroy());
  return session;
}

/** The gRPC status of a call with nothing in it. */
async function statusOf(session: ClientHttp2Session, path: string): Promise<unknown> {
  const stream = session.request({
    ":method": "POST",
    ":path": path,
    "content-type": "application/grpc",
    te: "trailers",
  });
  stream.on("error", () => {});
  stream.resume();
  stream.end();
  let status: unknown;
  const read = (headers: object): void => {
    if ("grpc-status" in headers) status = headers["grpc-status"];
  };
  stream.on("response", read);
  stream.on("trailers", read);
  await once(stream, "close");
  return status;
}

/** A frame of HTTP/2 (RFC 9113 §4.1). */
function frame(type: number, flags: number, streamId: number, payload: Buffer): Buffer {
  const head = Buffer.alloc(9);
  head.writeUIntBE(payload.length, 0, 3);
  head.set([type, flags], 3);
  head.writeUInt32BE(streamId, 5);
  return Buffer.concat([head, payload]);
}

const PREFACE = Buffer.concat([
  Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"),
  frame(4, 0, 0, Buffer.alloc(0)),
  // A ping, so that there is an answer to wait for.
  frame(6, 0, 0, Buffer.alloc(8)),
]);
const RESET = frame(3, 0, 1, Buffer.from([0, 0, 0, constants.NGHTTP2_CANCEL]));
/** DATA of no stream. */
const PROTOCOL_ERROR = frame(0, 0, 0, Buffer.alloc(1));

/** POST to a path, in HPACK's static table and plain texts. */
function headersFrame(path: string): Buffer {
  const text = (value: string) => Buffer.from([value.length, ...Buffer.from(value)]);
  const [method, scheme, pathName] = [Buffer.from([0x83]), Buffer.from([0x86]), Buffer.from([4])];
  const authority = Buffer.from([1, 1, 0x61]);
  return frame(1, 4, 1, Buffer.concat([method, scheme, pathName, text(path), authority]));
}

describe("a client certificate without a subject", () => {
  const POSITIONS = "/penstock.fleet.v1.FleetService/GetPositions";

  it.each([RAW_PATH, POSITIONS])(
    "S-10: of a stranger is refused at %s, and nothing else happens",
    async (path) => {
      const { server, ask, reached } = await start(true);
      const { certificate, privateKey } = await strangers.issue([], {
        hasSubject: false,
        uris: [SPIFFE],
      });
      const session = open(server.address, { cert: certificate, key: privateKey });
      expect(await statusOf(session, path)).toBe("16");
      expect(reached()).toBe(0);
      await ask();
    },
  );

  it("S-10: of the authority gets in by its alternative name", async () => {
    const { server, reached } = await start(true);
    const { certificate, privateKey } = await clients.issue([], {
      hasSubject: false,
      uris: [SPIFFE],
    });
    const session = open(server.address, { cert: certificate, key: privateKey });
    expect(await statusOf(session, RAW_PATH)).toBe("0");
    expect(reached()).toBe(1);
    const unlisted = await clients.issue(["nobody.example"], { hasSubject: false });
    const other = open(server.address, { cert: unlisted.certificate, key: unlisted.privateKey });
    expect(await statusOf(other, RAW_PATH)).toBe("16");
  });
});

describe("a stream that is reset, or whose connection is, in the packet that opens it", () => {
  it.each([
    ["an unknown path", "/nobody/knows", true],
    ["the raw path", RAW_PATH, true],
    ["a call", "/penstock.fleet.v1.FleetService/GetPositions", true],
    ["the raw path of everybody", RAW_PATH, false],
    ["an unknown path of everybody", "/nobody/knows", false],
  ])("S-20: at %s ends nothing but itself", async (_what, path, hasCredentials) => {
    const secured = hasCredentials ? await start(false) : null;
    const server =
      secured?.server ??
      (await startFleetServer(ECHO, {
        rawStreams: { [RAW_PATH]: (stream) => stream.respond({ ":status": 200 }) },
      }));
    if (secured === null) onTestFinished(() => server.stop());
    for (const after of [RESET, PROTOCOL_ERROR]) {
      const socket = connectSocket(server.port, "127.0.0.1");
      socket.on("error", () => {});
      socket.write(Buffer.concat([PREFACE, headersFrame(path), after]));
      socket.resume();
      if (after === RESET) {
        await waitUntil("it was read", () => socket.bytesRead > 50);
        socket.destroy();
      } else {
        await once(socket, "close");
      }
    }
    const status = await statusOf(open(server.address), "/nobody/knows");
    expect(status).toBe("12");
  });
});

describe("connections of strangers", () => {
  it("S-20: end after some seconds without an admitted call, health watchers' too; those of callers stay", async () => {
    const { server, token } = await start(false, { anonymousMsMax: 300 });
    const known = createRpcTransport({ address: server.address, security: bearer(token) });
    const unknown = createRpcTransport({ address: server.address });
    onTestFinished(() => {
      known.close();
      unknown.close();
    });
    const client = createClient(fleet.FleetService, known);
    await client.getPositions({});
    const idle = open(server.address);
    const ended = once(idle, "close");
    const watch = async () => {
      for await (const _status of createClient(health.Health, unknown).watch({}));
    };
    await expect(watch()).rejects.toBeDefined();
    await ended;
    const held = createClient(health.Health, known).watch({})[Symbol.asyncIterator]();
    await held.next();
    await client.getPositions({});
  });

  it("S-20: make way, oldest first, when there are many", async () => {
    const { server, ask } = await start(false, { connectionsMax: 4, connectionsPerPeerMax: 4 });
    const sessions: ClientHttp2Session[] = [];
    for (let count = 0; count < 3; count++) {
      const session = open(server.address);
      await once(session, "remoteSettings");
      sessions.push(session);
    }
    for (let count = 0; count < 3; count++) await ask();
    expect(sessions.map(({ closed, destroyed }) => closed || destroyed)[0]).toBe(true);
  });

  it("S-20: are so many of one address at most", async () => {
    const { server, ask } = await start(false, { connectionsPerPeerMax: 2 });
    const sockets = [0, 1].map(() => connectSocket(server.port, "127.0.0.1"));
    await Promise.all(sockets.map((socket) => once(socket, "connect")));
    const third = connectSocket(server.port, "127.0.0.1");
    third.on("error", () => {});
    await once(third, "close");
    for (const socket of sockets) socket.destroy();
    await waitUntil("there is room again", () =>
      ask().then(
        () => true,
        () => false,
      ),
    );
  });

  it("S-20: watch the health a few times, on one connection and in all", async () => {
    const { server } = await start(false, { healthWatchers: { ofConnection: 2, inAll: 3 } });
    const watchers = () => {
      const transport = createRpcTransport({ address: server.address });
      onTestFinished(() => transport.close());
      return () => {
        const leave = new AbortController();
        const answers = createClient(health.Health, transport).watch({}, { signal: leave.signal });
        const iterator = answers[Symbol.asyncIterator]();
        return { next: () => iterator.next(), leave: () => leave.abort() };
      };
    };
    const [first, second] = [watchers(), watchers()];
    const refused = { code: Code.ResourceExhausted };
    const kept = [first(), first()];
    for (const one of kept) expect((await one.next()).value).toMatchObject({ status: 1 });
    await expect(first().next()).rejects.toMatchObject(refused);
    await second().next();
    await expect(second().next()).rejects.toMatchObject(refused);
    kept[0]?.leave();
    await waitUntil("there is room again", () =>
      first()
        .next()
        .then(
          () => true,
          () => false,
        ),
    );
  });
});
