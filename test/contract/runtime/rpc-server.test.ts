// The gRPC port as clients of all three protocols see it.
import { connect } from "node:http2";
import { Code, ConnectError, createClient } from "@connectrpc/connect";
import {
  createConnectTransport,
  createGrpcTransport,
  createGrpcWebTransport,
} from "@connectrpc/connect-node";
import { PenstockError } from "@penstock/core";
import { fleet } from "@penstock/proto";
import { createRpcTransport, toPenstockError } from "@penstock/runtime";
import { describe, expect, it } from "vitest";
import { ECHO, type FleetServer, startFleetServer } from "./fleet-service.ts";
import { signal, stopAfterEach } from "./stoppable.ts";

const keep = stopAfterEach();

function clientOf(server: FleetServer) {
  const transport = createRpcTransport({ address: server.address });
  keep({ stop: async () => transport.close() });
  return createClient(fleet.FleetService, transport);
}

describe("a gRPC port", () => {
  it.each([
    ["gRPC", createGrpcTransport, true],
    ["gRPC with JSON", createGrpcTransport, false],
    ["gRPC-Web", createGrpcWebTransport, true],
    ["Connect", createConnectTransport, true],
    ["Connect with JSON", createConnectTransport, false],
  ] as const)(
    "I-13: speaks %s, offsets above 2^53 intact",
    async (_name, create, useBinaryFormat) => {
      const server = keep(await startFleetServer(ECHO));
      const transport = create({
        baseUrl: `http://${server.address}`,
        httpVersion: "2",
        useBinaryFormat,
        idleConnectionTimeoutMs: 100,
      });
      const client = createClient(fleet.FleetService, transport);
      const answer = await client.getPositions({ partitions: [4] });
      expect(answer.positions[0]).toMatchObject({
        partition: 4,
        committedOffset: 9_007_199_254_740_993n,
      });
    },
  );

  it("gives a failed operation its code, message and violations, there and back", async () => {
    const violations = [{ field: "mapping_id", description: "must be a UUID" }];
    const server = keep(
      await startFleetServer({
        getPositions: () => {
          const cause = new Error("hunter2");
          throw new PenstockError("kafkaTopicMissing", "No such topic.", { violations, cause });
        },
      }),
    );
    const error = await clientOf(server)
      .getPositions({})
      .catch((caught: unknown) => caught);
    expect(ConnectError.from(error).code).toBe(Code.FailedPrecondition);
    expect(toPenstockError(error)).toMatchObject({
      code: "kafkaTopicMissing",
      message: "No such topic.",
      violations,
    });
  });

  it("S-24: says nothing of a bug but that there is one; the log says the rest", async () => {
    const server = keep(
      await startFleetServer({
        getPositions: () => {
          throw new Error("hunter2");
        },
        // biome-ignore lint/correctness/useYield: it fails before
        async *join() {
          throw new TypeError("hunter2");
        },
      }),
    );
    const client = clientOf(server);
    const unary = await client.getPositions({}).catch((caught: unknown) => caught);
    const streaming = await readAll(client.join(forEver())).catch((caught: unknown) => caught);
    for (const error of [unary, streaming]) {
      expect(error).toMatchObject({ code: Code.Internal, rawMessage: "internal error" });
    }
    expect(server.lines.filter((line) => line.includes("hunter2"))).toHaveLength(2);
  });

  it("logs each call at debug with its duration", async () => {
    const server = keep(await startFleetServer(ECHO));
    await clientOf(server).getPositions({});
    const call = server.lines.map((line) => JSON.parse(line)).find(({ msg }) => msg === "call");
    expect(call).toMatchObject({
      level: "debug",
      method: "penstock.fleet.v1.FleetService/GetPositions",
      code: "ok",
      durationMs: expect.any(Number),
    });
  });

  it("answers UNIMPLEMENTED for a method that it doesn't have", async () => {
    const server = keep(await startFleetServer({}));
    await expect(clientOf(server).getPositions({})).rejects.toMatchObject({
      code: Code.Unimplemented,
    });
    const other = keep(await startFleetServer({}, { routes: () => {} }));
    await expect(clientOf(other).getPositions({})).rejects.toMatchObject({
      code: Code.Unimplemented,
    });
  });

  it("hands a raw path's streams to their handler, untouched", async () => {
    const server = keep(
      await startFleetServer(ECHO, {
        rawStreams: {
          "/raw.Service/Echo": (stream, headers) => {
            stream.respond({ ":status": 200, "x-seen": headers["x-sent"] });
            stream.pipe(stream);
          },
        },
      }),
    );
    const session = connect(`http://${server.address}`);
    const stream = session.request({
      ":method": "POST",
      ":path": "/raw.Service/Echo",
      "x-sent": "1",
    });
    const seen = signal<unknown>();
    stream.on("response", (headers) => seen.resolve(headers["x-seen"]));
    stream.end("hello");
    const chunks: Buffer[] = [];
    for await (const chunk of stream) chunks.push(chunk);
    expect(await seen.promise).toBe("1");
    expect(Buffer.concat(chunks).toString()).toBe("hello");
    session.close();
  });

  it("says which port is taken", async () => {
    const server = keep(await startFleetServer(ECHO));
    await expect(startFleetServer(ECHO, { port: server.port })).rejects.toThrow(
      `Can't listen on 127.0.0.1:${server.port}: it is in use.`,
    );
  });
});

describe("stopping a gRPC port", () => {
  it("F80: ends streams with UNAVAILABLE at once and lets single calls finish", async () => {
    const reached = signal();
    const release = signal();
    const server = keep(
      await startFleetServer({
        async getPositions() {
          reached.resolve();
          await release.promise;
          return { positions: [{ partition: 1 }] };
        },
        async *join(requests) {
          for await (const _request of requests) yield {};
        },
      }),
    );
    const client = clientOf(server);
    const call = client.getPositions({});
    const stream = readAll(client.join(forEver()));
    await reached.promise;
    const stopped = server.stop();
    await expect(stream).rejects.toMatchObject({ code: Code.Unavailable });
    release.resolve();
    expect((await call).positions).toHaveLength(1);
    await stopped;
  });

  it("L-3: ends what doesn't finish within the limit, and leaves no socket", async () => {
    const reached = signal();
    const server = await startFleetServer(
      {
        async getPositions() {
          reached.resolve();
          return new Promise(() => {});
        },
      },
      { stopMsMax: 20 },
    );
    const call = clientOf(server).getPositions({});
    await Promise.race([reached.promise, call]);
    await Promise.all([
      expect(call).rejects.toMatchObject({ code: Code.Unavailable }),
      server.stop(),
    ]);
    await server.stop();
  });

  it("L-3: doesn't wait for a raw stream that never ends", async () => {
    const reached = signal();
    const server = await startFleetServer(ECHO, {
      stopMsMax: 20,
      rawStreams: {
        "/raw.Service/Hang": (stream) => {
          stream.on("error", () => {});
          reached.resolve();
        },
      },
    });
    const session = connect(`http://${server.address}`);
    session.on("error", () => {});
    const stream = session.request({ ":method": "POST", ":path": "/raw.Service/Hang" });
    stream.on("error", () => {});
    await reached.promise;
    await server.stop();
    session.destroy();
  });
});

async function readAll<T>(messages: AsyncIterable<T>): Promise<T[]> {
  const read: T[] = [];
  for await (const message of messages) read.push(message);
  return read;
}

/** Requests of a stream that stays open: one, and then nothing. */
async function* forEver() {
  yield {};
  await new Promise(() => {});
}
