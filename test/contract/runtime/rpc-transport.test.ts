// The client side between Penstock's services, against servers that misbehave.
import { once } from "node:events";
import { connect, createServer, type Server, type Socket } from "node:net";
import { Code, createClient } from "@connectrpc/connect";
import { fleet } from "@penstock/proto";
import { createRpcTransport, type RpcTransportOptions, toPenstockError } from "@penstock/runtime";
import { describe, expect, it } from "vitest";
import { ECHO, startFleetServer } from "./fleet-service.ts";
import { signal, stopAfterEach } from "./stoppable.ts";

const keep = stopAfterEach();

function clientOf(address: string, options: Partial<RpcTransportOptions> = {}) {
  const transport = createRpcTransport({ address, ...options });
  keep({ stop: async () => transport.close() });
  return createClient(fleet.FleetService, transport);
}

/** A server that takes connections and never says anything. */
async function startMute(): Promise<string> {
  const sockets = new Set<Socket>();
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.resume();
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  keep({
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  const address = server.address();
  return typeof address === "object" && address !== null ? `127.0.0.1:${address.port}` : "";
}

/** Hands bytes on to a port until it is told to cut all connections. */
async function startCuttableProxy(port: number) {
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(port, "127.0.0.1");
    for (const socket of [near, far]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        sockets.delete(socket);
        near.destroy();
        far.destroy();
      });
    }
    near.pipe(far).pipe(near);
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  const cut = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  keep({
    async stop() {
      cut();
      await new Promise((resolve) => server.close(resolve));
    },
  });
  const bound = server.address();
  const address = typeof bound === "object" && bound !== null ? `127.0.0.1:${bound.port}` : "";
  return { address, cut, connections: () => sockets.size / 2 };
}

describe("createRpcTransport", () => {
  it("refuses an address that isn't host:port", () => {
    expect(() => createRpcTransport({ address: "http://x" })).toThrow("must be host:port");
  });

  it("says UNAVAILABLE when nobody listens", async () => {
    const server = await startFleetServer(ECHO);
    await server.stop();
    await expect(clientOf(server.address).getPositions({})).rejects.toMatchObject({
      code: Code.Unavailable,
    });
  });

  it("gives a single call a deadline when it names none", async () => {
    const server = keep(await startFleetServer({ getPositions: () => new Promise(() => {}) }));
    const call = clientOf(server.address, { deadlineMs: 30 }).getPositions({});
    await expect(call).rejects.toMatchObject({ code: Code.DeadlineExceeded });
  });

  it("F06, F07: gives up a peer that takes the connection and never answers", async () => {
    const client = clientOf(await startMute(), { pingIntervalMs: 30, deadlineMs: 10_000 });
    await expect(client.getPositions({})).rejects.toMatchObject({ code: Code.Unavailable });
  });

  it("opens a new connection after the server was away, on the same address", async () => {
    const first = await startFleetServer(ECHO);
    const client = clientOf(first.address);
    await client.getPositions({});
    await first.stop();
    await expect(client.getPositions({})).rejects.toMatchObject({ code: Code.Unavailable });
    keep(await startFleetServer(ECHO, { port: first.port }));
    await expect(client.getPositions({ partitions: [1] })).resolves.toMatchObject({
      positions: [{ partition: 1 }],
    });
  });

  it("F89: closing ends calls that are open", async () => {
    const reached = signal();
    const server = keep(
      await startFleetServer({
        getPositions: () => {
          reached.resolve();
          return new Promise(() => {});
        },
      }),
    );
    const transport = createRpcTransport({ address: server.address, pingIntervalMs: 5 });
    const call = createClient(fleet.FleetService, transport).getPositions({});
    call.catch(() => {});
    await reached.promise;
    transport.close();
    await expect(call).rejects.toMatchObject({ code: Code.Canceled });
  });

  it("F48: says UNAVAILABLE when the connection is lost under a call", async () => {
    const reached = signal();
    const server = await startFleetServer({
      getPositions: () => {
        reached.resolve();
        return new Promise(() => {});
      },
    });
    keep(server);
    const proxy = await startCuttableProxy(server.port);
    const call = clientOf(proxy.address).getPositions({});
    await Promise.race([reached.promise, call]);
    proxy.cut();
    await expect(call).rejects.toMatchObject({ code: Code.Unavailable });
  });

  it("F09, F89: survives a connection that dies at every moment of its life", async () => {
    const server = keep(await startFleetServer(ECHO));
    const proxy = await startCuttableProxy(server.port);
    const client = clientOf(proxy.address, { pingIntervalMs: 2 });
    const codes = new Map<string, number>();
    for (let round = 0; round < 200; round++) {
      const call = client.getPositions({}).then(
        () => "ok",
        (error: unknown) => toPenstockError(error).code,
      );
      for (let turn = 0; turn < round % 20; turn++) await new Promise(setImmediate);
      proxy.cut();
      const code = await call;
      codes.set(code, (codes.get(code) ?? 0) + 1);
    }
    expect([...codes.keys()].toSorted()).toEqual(["ok", "unavailable"]);
  });

  it("L-7: keeps one connection for many calls", async () => {
    const server = keep(await startFleetServer(ECHO));
    const proxy = await startCuttableProxy(server.port);
    const client = clientOf(proxy.address);
    await Promise.all(Array.from({ length: 50 }, () => client.getPositions({})));
    expect(proxy.connections()).toBe(1);
  });

  it("refuses an answer over its limit", async () => {
    const server = keep(
      await startFleetServer({
        getPositions: () => ({ positions: Array.from({ length: 1000 }, () => ({ partition: 1 })) }),
      }),
    );
    const client = clientOf(server.address, { messageBytesMax: 1000 });
    await expect(client.getPositions({})).rejects.toMatchObject({ code: Code.ResourceExhausted });
  });
});
