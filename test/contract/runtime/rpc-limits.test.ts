// What the gRPC port refuses, so that no peer can hold it up or fill it.
import { type EventEmitter, once } from "node:events";
import { type ClientHttp2Session, connect, constants } from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";
import { gzipSync } from "node:zlib";
import { create, toBinary } from "@bufbuild/protobuf";
import { Code, createClient } from "@connectrpc/connect";
import { createConnectTransport, createGrpcTransport } from "@connectrpc/connect-node";
import { fleet } from "@penstock/proto";
import { describe, expect, it } from "vitest";
import { ECHO, type FleetServer, startFleetServer } from "./fleet-service.ts";
import { signal, stopAfterEach } from "./stoppable.ts";

const keep = stopAfterEach();
const PATH = "/penstock.fleet.v1.FleetService/GetPositions";

/** A bare session; what it is told stays visible in `remote`. */
async function openSession(server: FleetServer): Promise<ClientHttp2Session> {
  const session = connect(`http://${server.address}`);
  session.on("error", () => {});
  keep({ stop: async () => session.destroy() });
  await once(session, "remoteSettings");
  return session;
}

/** Bytes of a client that speaks no further than these. */
async function openSocket(server: FleetServer, bytes: Uint8Array): Promise<Socket> {
  const socket = connectSocket(server.port, "127.0.0.1");
  socket.on("error", () => {});
  keep({ stop: async () => void socket.destroy() });
  await once(socket, "connect");
  if (bytes.length > 0) socket.write(bytes);
  socket.resume();
  return socket;
}

function client(server: FleetServer, create_ = createGrpcTransport) {
  const transport = create_({
    baseUrl: `http://${server.address}`,
    idleConnectionTimeoutMs: 50,
  });
  return createClient(fleet.FleetService, transport);
}

describe("S-19: messages and deadlines", () => {
  it("takes a message up to the limit and refuses a longer one", async () => {
    const server = keep(await startFleetServer(ECHO, { messageBytesMax: 1000 }));
    const empty = toBinary(
      fleet.GetPositionsRequestSchema,
      create(fleet.GetPositionsRequestSchema, { topicId: "x".repeat(500) }),
    ).length;
    const fitting = "x".repeat(500 + 1000 - empty);
    await expect(client(server).getPositions({ topicId: fitting })).resolves.toBeDefined();
    await expect(client(server).getPositions({ topicId: `${fitting}x` })).rejects.toMatchObject({
      code: Code.ResourceExhausted,
    });
  });

  it("refuses to send a longer one", async () => {
    const topicId = "x".repeat(1001);
    const server = keep(
      await startFleetServer(
        { getPositions: () => ({ positions: [...topicId].map(() => ({ partition: 1 })) }) },
        { messageBytesMax: 1000 },
      ),
    );
    await expect(client(server).getPositions({})).rejects.toMatchObject({
      code: Code.ResourceExhausted,
    });
  });

  it("refuses a deadline beyond the longest", async () => {
    const server = keep(await startFleetServer(ECHO, { deadlineMsMax: 1000 }));
    await expect(client(server).getPositions({}, { timeoutMs: 1001 })).rejects.toMatchObject({
      code: Code.InvalidArgument,
    });
    await expect(client(server).getPositions({}, { timeoutMs: 1000 })).resolves.toBeDefined();
  });

  it.each([
    ["gRPC", createGrpcTransport],
    [
      "Connect",
      (options: { baseUrl: string }) => createConnectTransport({ ...options, httpVersion: "2" }),
    ],
  ] as const)("ends a %s call that named no deadline at the longest", async (_name, transport) => {
    const server = keep(
      await startFleetServer({ getPositions: () => new Promise(() => {}) }, { deadlineMsMax: 30 }),
    );
    const call = client(server, transport as typeof createGrpcTransport).getPositions({});
    await expect(call).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  });

  it("S-18: refuses compressed messages, so that nothing is ever inflated", async () => {
    const server = keep(await startFleetServer(ECHO));
    const session = await openSession(server);
    const message = gzipSync(Buffer.alloc(1_000_000));
    const head = Buffer.from([1, 0, 0, 0, 0]);
    head.writeUInt32BE(message.length, 1);
    const status = await callRaw(session, Buffer.concat([head, message]), {
      "content-type": "application/grpc",
      "grpc-encoding": "gzip",
    });
    expect(status).toBe(Code.Unimplemented);
  });

  it("S-17: refuses JSON that is nested too deep", async () => {
    const server = keep(await startFleetServer(ECHO));
    const body = `{"x":${"[".repeat(5000)}${"]".repeat(5000)}}`;
    const bare = await fetchOverHttp2(server, body, "application/json");
    expect(bare).toMatchObject({ status: 400, body: expect.stringContaining("nested deeper") });
    const head = Buffer.from([0, 0, 0, 0, 0]);
    head.writeUInt32BE(body.length, 1);
    const status = await callRaw(
      await openSession(server),
      Buffer.concat([head, Buffer.from(body)]),
      { "content-type": "application/grpc+json" },
    );
    expect(status).toBe(Code.InvalidArgument);
  });
});

describe("S-20: connections", () => {
  it("opens 16 MiB windows, of the stream and of the connection", async () => {
    const session = await openSession(keep(await startFleetServer(ECHO)));
    expect(session.remoteSettings.initialWindowSize).toBe(16 * 1024 * 1024);
    await ping(session);
    expect(session.state.remoteWindowSize).toBe(16 * 1024 * 1024);
  });

  it("tells its limits of streams and headers", async () => {
    const session = await openSession(keep(await startFleetServer(ECHO, { streamsMax: 7 })));
    expect(session.remoteSettings).toMatchObject({
      maxConcurrentStreams: 7,
      maxHeaderListSize: 16 * 1024,
    });
  });

  it("refuses headers over the limit, and serves the others", async () => {
    const server = keep(await startFleetServer(ECHO));
    const session = await openSession(server);
    const stream = session.request({
      ":method": "POST",
      ":path": PATH,
      "x-long": "x".repeat(40_000),
    });
    stream.on("error", () => {});
    await closed(stream);
    expect(stream.rstCode).not.toBe(constants.NGHTTP2_NO_ERROR);
    await expect(client(server).getPositions({})).resolves.toBeDefined();
  });

  it("closes a client that says nothing", async () => {
    const server = keep(await startFleetServer(ECHO, { prefaceMsMax: 30 }));
    const socket = await openSocket(server, Buffer.alloc(0));
    await closed(socket);
  });

  it("closes a client that speaks something else", async () => {
    const server = keep(await startFleetServer(ECHO));
    const socket = await openSocket(server, Buffer.from("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
    await closed(socket);
    await expect(client(server).getPositions({})).resolves.toBeDefined();
  });

  it("F07: closes a client that no longer answers pings", async () => {
    const server = keep(await startFleetServer(ECHO, { pingIntervalMs: 20 }));
    // The preface and empty settings: a client that then falls silent.
    const settings = Buffer.from([0, 0, 0, 4, 0, 0, 0, 0, 0]);
    const socket = await openSocket(
      server,
      Buffer.concat([Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"), settings]),
    );
    await closed(socket);
  });

  it("ends a call whose message drips in", async () => {
    const reached: string[] = [];
    const server = keep(
      await startFleetServer(
        {
          getPositions: () => {
            reached.push("handler");
            return {};
          },
        },
        { requestMsMax: 40 },
      ),
    );
    const session = await openSession(server);
    const stream = session.request({
      ":method": "POST",
      ":path": PATH,
      "content-type": "application/grpc",
    });
    stream.on("error", () => {});
    stream.write(Buffer.from([0, 0, 0]));
    await closed(stream);
    expect(reached).toEqual([]);
    // The session is not to blame for one slow call.
    expect(session.destroyed).toBe(false);
  });

  it("lets a stream of requests stay open and silent", async () => {
    const server = keep(
      await startFleetServer(
        {
          async *join(requests) {
            for await (const _request of requests) yield {};
          },
        },
        { requestMsMax: 10 },
      ),
    );
    const second = signal();
    async function* requests() {
      yield {};
      await second.promise;
      yield {};
    }
    let answers = 0;
    for await (const _answer of client(server).join(requests())) {
      answers++;
      // Longer than a single call may take to arrive.
      setTimeout(() => second.resolve(), 50);
    }
    expect(answers).toBe(2);
  });

  it("cuts off a client that opens and resets streams without end", async () => {
    const server = keep(await startFleetServer(ECHO));
    const session = await openSession(server);
    const ended = closed(session);
    let resets = 0;
    const flood = (): void => {
      for (let burst = 0; burst < 200 && !session.destroyed && !session.closed; burst++) {
        const stream = session.request({
          ":method": "POST",
          ":path": PATH,
          "content-type": "application/grpc",
        });
        stream.on("error", () => {});
        stream.close(constants.NGHTTP2_CANCEL);
        resets++;
      }
      if (!session.destroyed && !session.closed) setImmediate(flood);
    };
    flood();
    await ended;
    expect(resets).toBeLessThan(20_000);
    await expect(client(server).getPositions({})).resolves.toBeDefined();
  });

  it("takes no more connections than its limit", async () => {
    const server = keep(await startFleetServer(ECHO, { connectionsMax: 1 }));
    await openSession(server);
    const refused = await openSocket(server, Buffer.alloc(0));
    await closed(refused);
  });
});

/** The end of it, whether or not with an error. */
function closed(emitter: EventEmitter): Promise<void> {
  return new Promise((resolve) => emitter.once("close", resolve));
}

async function ping(session: ClientHttp2Session): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    session.ping((error) => (error === null ? resolve() : reject(error)));
  });
}

/** The gRPC status of a call with these very bytes. */
async function callRaw(
  session: ClientHttp2Session,
  body: Buffer,
  headers: Record<string, string>,
): Promise<number> {
  const stream = session.request({ ":method": "POST", ":path": PATH, ...headers });
  const status = signal<number>();
  const read = (given: Record<string, unknown>): void => {
    if (given["grpc-status"] !== undefined) status.resolve(Number(given["grpc-status"]));
  };
  stream.on("error", () => {});
  stream.on("response", read);
  stream.on("trailers", read);
  stream.resume();
  stream.end(body);
  return status.promise;
}

async function fetchOverHttp2(server: FleetServer, body: string, type: string) {
  const session = await openSession(server);
  const stream = session.request({ ":method": "POST", ":path": PATH, "content-type": type });
  stream.on("error", () => {});
  const [[headers], text] = await Promise.all([once(stream, "response"), readText(stream, body)]);
  return { status: headers[":status"], body: text };
}

async function readText(stream: ReturnType<ClientHttp2Session["request"]>, body: string) {
  stream.end(body);
  let text = "";
  for await (const chunk of stream.setEncoding("utf8")) text += chunk;
  return text;
}
