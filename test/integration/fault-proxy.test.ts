import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { FaultProxy, waitUntil } from "@penstock/testkit";
import { afterEach, beforeEach, describe, expect, it } from "vitest";

let server: Server;
let proxy: FaultProxy;
let client: Client;

/** What the far end heard, and what came back. */
interface Client {
  readonly socket: Socket;
  readonly received: Buffer[];
  end: string;
}

async function open(): Promise<Client> {
  const socket = connect({ port: proxy.port, host: "127.0.0.1", allowHalfOpen: true });
  const opened: Client = { socket, received: [], end: "" };
  socket.on("data", (piece: Buffer) => opened.received.push(piece));
  socket.on("end", () => {
    opened.end ||= "end";
  });
  socket.on("error", (error: NodeJS.ErrnoException) => {
    opened.end = String(error.code);
  });
  await once(socket, "connect");
  return opened;
}

function text(): string {
  return Buffer.concat(client.received).toString();
}

beforeEach(async () => {
  // An echo that keeps its own side open, as a server may.
  server = createServer({ allowHalfOpen: true }, (socket) => {
    socket.on("error", () => {});
    socket.on("data", (piece) => socket.write(piece));
    socket.on("end", () => socket.end("bye"));
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  proxy = await FaultProxy.start({ target: (server.address() as AddressInfo).port });
  client = await open();
});

afterEach(async () => {
  client.socket.destroy();
  await proxy.stop();
  await new Promise((resolve) => server.close(resolve));
});

describe("FaultProxy", () => {
  it("passes everything on, in order, and ends when both sides did", async () => {
    for (let i = 0; i < 100; i++) client.socket.write(`${i} `);
    await waitUntil("the echo", () => text().endsWith("99 "));
    client.socket.end();
    await waitUntil("the end", () => client.end === "end");
    expect(text()).toMatch(/^0 1 2 .* 99 bye$/);
  });

  it("delays and throttles one direction", async () => {
    proxy.toClient = { latencyMs: 150, bytesPerSecond: 10_000 };
    const started = performance.now();
    client.socket.write("x".repeat(2000));
    await waitUntil("the echo", () => text().length === 2000);
    expect(performance.now() - started).toBeGreaterThan(300);
  });

  it("writes byte by byte", async () => {
    proxy.toClient = { bytesPerWrite: 1 };
    client.socket.write("trickle".repeat(20));
    await waitUntil("the echo", () => text().length === 140);
    expect(text()).toBe("trickle".repeat(20));
  });

  it("resets after the given number of bytes, no earlier", async () => {
    proxy.toClient = { cutAfterBytes: 10 };
    client.socket.write("0123456789abcdef");
    await waitUntil("the reset", () => client.end === "ECONNRESET");
    expect("0123456789").toContain(text());
    expect(proxy.cut).toBe(1);
  });

  it("swallows silently, and heals", async () => {
    proxy.toServer = { isSilent: true };
    client.socket.write("lost ");
    await waitUntil("it is swallowed", () => proxy.swallowed === 5);
    proxy.heal();
    client.socket.write("found");
    await waitUntil("the echo", () => text().length > 0);
    expect(text()).toBe("found");
  });

  it("flips one bit of every n-th byte", async () => {
    proxy.toClient = { flipEveryBytes: 4 };
    client.socket.write("aaaaaaaa");
    await waitUntil("the echo", () => text().length === 8);
    expect(text()).toBe("aaa`aaa`");
  });

  it("half-closes, refuses and resets on demand", async () => {
    proxy.halfCloseAll("toClient");
    await waitUntil("the end of one side", () => client.end === "end");
    const second = await open();
    proxy.resetAll();
    await waitUntil("the reset", () => second.end === "ECONNRESET");
    proxy.isRefusing = true;
    const third = await open().catch(() => null);
    if (third) await waitUntil("refused", () => third.end !== "");
    expect(proxy.open).toBe(0);
  });
});
