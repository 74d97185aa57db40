import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import type { FunctionCall, FunctionSpec, FunctionTarget } from "@penstock/core";
import { AddressGuard, type EgressLimits, FunctionInvoker } from "@penstock/egress";
import { systemClock } from "@penstock/runtime";
import { expect, onTestFinished } from "vitest";

/** What the contract tests of egress share: functions that misbehave on real sockets, and an invoker that calls them. */

/** An HTTP function; closed with the test. Its URL. */
export async function httpFunction(
  serve: (request: IncomingMessage, response: ServerResponse) => void,
): Promise<string> {
  const server = createServer(serve);
  return `http://127.0.0.1:${await listen(server)}/`;
}

/** A server of bare bytes: `serve` is called with each connection. Its port. */
export async function tcpServer(serve: (socket: Socket) => void): Promise<number> {
  const sockets = new Set<Socket>();
  const server = createTcpServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => {});
    socket.on("close", () => sockets.delete(socket));
    serve(socket);
  });
  return await listen(server, () => {
    for (const socket of sockets) socket.destroy();
  });
}

/** A bare server that answers each request, once its head and body are in, with these bytes. */
export function rawAnswer(answer: (socket: Socket) => void): Promise<number> {
  return tcpServer((socket) => {
    let text = "";
    socket.on("data", (chunk) => {
      text += chunk.toString("latin1");
      const head = text.indexOf("\r\n\r\n");
      const length = Number(/content-length: (\d+)/.exec(text)?.[1] ?? 0);
      if (head < 0 || text.length < head + 4 + length) return;
      text = "";
      answer(socket);
    });
  });
}

async function listen(
  server: Server | ReturnType<typeof createTcpServer>,
  cut?: () => void,
): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    if ("closeAllConnections" in server) server.closeAllConnections();
    cut?.();
    await new Promise((resolve) => server.close(resolve));
  });
  const address = server.address() as AddressInfo;
  return address.port;
}

/** A port that nobody listens at. */
export async function closedPort(): Promise<number> {
  const server = createTcpServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

export interface EgressWorld {
  readonly invoker: FunctionInvoker;
  /** Registers a function and returns a call of it. */
  define(target: string | FunctionTarget, spec?: Partial<FunctionSpec>): FunctionCall;
}

export function startEgress(
  options: {
    readonly limits?: Partial<EgressLimits>;
    readonly guard?: AddressGuard;
    readonly ownPorts?: readonly number[];
  } = {},
): EgressWorld {
  const guard =
    options.guard ??
    new AddressGuard({ allowPrivateAddresses: true, ownPorts: () => options.ownPorts ?? [] });
  const invoker = new FunctionInvoker({
    clock: systemClock,
    guard,
    ...(options.limits === undefined ? {} : { limits: options.limits }),
  });
  onTestFinished(() => invoker.close());
  let count = 0;
  return {
    invoker,
    define(target, spec = {}) {
      const name = spec.name ?? `function-${++count}`;
      const whole: FunctionSpec = {
        name,
        revision: 1n,
        target: typeof target === "string" ? { kind: "http", url: target, headers: {} } : target,
        timeoutMs: 10_000,
        maxConcurrency: null,
        payloadBytesMax: 64 * 1024 * 1024,
        ...spec,
      };
      invoker.set(whole);
      return callOf(whole);
    },
  };
}

export function callOf(spec: FunctionSpec, more: Partial<FunctionCall> = {}): FunctionCall {
  return {
    functionName: spec.name,
    functionRevision: spec.revision,
    qualifier: "",
    format: spec.target.kind === "http" ? "lambdaJson" : "handleRequest",
    payload: spec.target.kind === "http" ? Buffer.from('{"records":{}}') : Buffer.alloc(0),
    requestId: "7e5bd9a2-6a0e-4a7e-9d4c-3f6d4b1f0001",
    mappingId: "7e5bd9a2-6a0e-4a7e-9d4c-3f6d4b1f0002",
    attempt: 1,
    traceparent: "",
    tracestate: "",
    recordCount: 1,
    timeoutMs: spec.timeoutMs,
    ...more,
  };
}

/** `expect.poll` with the patience of a busy machine. */
export function eventually<T>(read: () => T): ReturnType<typeof expect.poll<T>> {
  return expect.poll(read, { timeout: 20_000 });
}
