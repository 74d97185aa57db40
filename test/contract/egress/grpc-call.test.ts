import { createServer as createH2Server, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import {
  type Metadata,
  Server,
  ServerCredentials,
  type ServerUnaryCall,
  status,
} from "@grpc/grpc-js";
import type { FunctionTarget } from "@penstock/core";
import { describe, expect, it, onTestFinished } from "vitest";
import { closedPort, eventually, httpFunction, startEgress, tcpServer } from "./egress-world.ts";

type Call = ServerUnaryCall<Buffer, Buffer>;
type Answer = (error: { code: number; details: string } | null, value?: Buffer) => void;

/** A function served by grpc-js, an implementation that is not ours. */
async function grpcFunction(handle: (call: Call, answer: Answer) => void): Promise<FunctionTarget> {
  const server = new Server();
  const pass = (bytes: Buffer): Buffer => bytes;
  server.addService(
    {
      Handle: {
        path: "/penstock.function.v1.KafkaFunctionService/Handle",
        requestStream: false,
        responseStream: false,
        requestSerialize: pass,
        requestDeserialize: pass,
        responseSerialize: pass,
        responseDeserialize: pass,
      },
    },
    { Handle: handle },
  );
  const port = await new Promise<number>((resolve, reject) => {
    server.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, bound) => {
      if (error === null) resolve(bound);
      else reject(error);
    });
  });
  onTestFinished(() => server.forceShutdown());
  return grpcAt(port);
}

/** A bare HTTP/2 server; `serve` gets each stream. */
async function h2Function(
  serve: (stream: ServerHttp2Stream) => void,
  settings: { maxConcurrentStreams?: number } = {},
): Promise<FunctionTarget> {
  const server = createH2Server({ settings });
  const sessions = new Set<{ destroy(): void }>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("error", () => {});
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream) => {
    stream.on("error", () => {});
    serve(stream);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(async () => {
    for (const session of sessions) session.destroy();
    await new Promise((resolve) => server.close(resolve));
  });
  return grpcAt((server.address() as AddressInfo).port);
}

function grpcAt(port: number): FunctionTarget {
  return { kind: "grpc", address: `127.0.0.1:${port}`, tls: false };
}

/** Answers a bare stream with OK and an empty HandleResponse, once the request is in. */
function answerOk(stream: ServerHttp2Stream): void {
  stream.resume();
  stream.on("end", () => {
    stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
    stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
    stream.end(Buffer.alloc(5));
  });
}

const EMPTY = Buffer.alloc(0);

describe("a call over gRPC", () => {
  it("passes the payload as it stands, with its identity in metadata and the deadline", async () => {
    const seen: { payload: Buffer; metadata: Metadata; deadline: number }[] = [];
    const target = await grpcFunction((call, answer) => {
      const deadline = call.getDeadline();
      seen.push({ payload: call.request, metadata: call.metadata, deadline: Number(deadline) });
      answer(null, EMPTY);
    });
    const { invoker, define } = startEgress();
    const payload = Buffer.alloc(3_000_000, 7);
    const call = { ...define(target), payload, attempt: 2 };
    await expect(invoker.invoke(call)).resolves.toEqual({ kind: "success" });
    expect(seen[0]?.payload.equals(payload)).toBe(true);
    expect(seen[0]?.metadata.getMap()).toMatchObject({
      "penstock-request-id": call.requestId,
      "penstock-mapping-id": call.mappingId,
      "penstock-attempt": "2",
    });
    expect((seen[0]?.deadline ?? 0) - Date.now()).toBeLessThanOrEqual(10_000);
  });

  it.each([
    [status.RESOURCE_EXHAUSTED, "throttled"],
    [status.UNAVAILABLE, "throttled"],
    [status.DEADLINE_EXCEEDED, "timeout"],
    [status.CANCELLED, "functionError"],
    [status.UNKNOWN, "functionError"],
    [status.INTERNAL, "functionError"],
    [status.UNIMPLEMENTED, "functionError"],
    [status.UNAUTHENTICATED, "functionError"],
  ])("F45: code %i answered by the function is %s", async (code, kind) => {
    const target = await grpcFunction((_call, answer) => answer({ code, details: "busy" }));
    const { invoker, define } = startEgress();
    await expect(invoker.invoke(define(target))).resolves.toMatchObject({ kind });
  });

  it("a message over the peer's limit is an error of the function, not throttling", async () => {
    const target = await grpcFunction((_call, answer) => answer(null, EMPTY));
    const { invoker, define } = startEgress();
    const call = { ...define(target), payload: Buffer.alloc(5 * 1024 * 1024) };
    await expect(invoker.invoke(call)).resolves.toMatchObject({
      kind: "functionError",
      statusCode: status.RESOURCE_EXHAUSTED,
    });
  });

  it("an unimplemented service is an error of the function", async () => {
    const target = await grpcFunction((_call, answer) => answer(null, EMPTY));
    const { invoker, define } = startEgress();
    const other = await h2Function((stream) => {
      stream.respond(
        { "content-type": "application/grpc", "grpc-status": "12" },
        { endStream: true },
      );
    });
    await expect(invoker.invoke(define(target))).resolves.toEqual({ kind: "success" });
    await expect(invoker.invoke(define(other))).resolves.toMatchObject({
      kind: "functionError",
      statusCode: status.UNIMPLEMENTED,
    });
  });

  it("F40: refused, an unknown name and a server of another protocol cost no attempt", async () => {
    const http1 = new URL(await httpFunction((_request, response) => response.end())).port;
    const targets: FunctionTarget[] = [
      grpcAt(await closedPort()),
      grpcAt(Number(http1)),
      { kind: "grpc", address: "no-such-host.invalid:50051", tls: false },
      { kind: "grpc", address: `127.0.0.1:${http1}`, tls: true },
    ];
    for (const target of targets) {
      const { invoker, define } = startEgress();
      await expect(invoker.invoke(define(target))).resolves.toMatchObject({ kind: "unreachable" });
    }
  });

  it("F40: a server that accepts and says nothing costs no attempt", async () => {
    const port = await tcpServer(() => {});
    const { invoker, define } = startEgress();
    await expect(invoker.invoke(define(grpcAt(port), { timeoutMs: 300 }))).resolves.toMatchObject({
      kind: "unreachable",
    });
  });

  it("F41: one deadline ends a call that hangs, before or after its head", async () => {
    const hanging = await h2Function((stream) => stream.resume());
    const halfway = await h2Function((stream) => {
      stream.resume();
      stream.respond({ "content-type": "application/grpc" });
      stream.write(Buffer.from([0, 0]));
    });
    for (const target of [hanging, halfway]) {
      const { invoker, define } = startEgress();
      const call = define(target, { timeoutMs: 300 });
      const startedMs = performance.now();
      await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: "timeout" });
      expect(performance.now() - startedMs).toBeLessThan(2_000);
    }
  });

  it("F48: a connection that dies during the call may have run; the next call connects anew", async () => {
    let isFirst = true;
    const target = await h2Function((stream) => {
      if (!isFirst) return answerOk(stream);
      isFirst = false;
      stream.resume();
      stream.on("end", () => stream.session?.destroy());
    });
    const { invoker, define } = startEgress();
    const call = define(target);
    await expect(invoker.invoke(call)).resolves.toMatchObject({ kind: "functionError" });
    await expect(invoker.invoke(call)).resolves.toEqual({ kind: "success" });
  });

  it("F48: RST_STREAM counts, except REFUSED_STREAM, which promises that nothing ran", async () => {
    const { invoker, define } = startEgress();
    const kinds: string[] = [];
    for (const code of [7, 8, 2, 11]) {
      const target = await h2Function((stream) => {
        stream.resume();
        stream.close(code);
      });
      kinds.push((await invoker.invoke(define(target))).kind);
    }
    expect(kinds).toEqual(["unreachable", "functionError", "functionError", "throttled"]);
  });

  it("F48: after GOAWAY calls under way end well and new ones use another connection", async () => {
    const sessions = new Set<unknown>();
    const held: ServerHttp2Stream[] = [];
    const waiters: (() => void)[] = [];
    const target = await h2Function((stream) => {
      sessions.add(stream.session);
      if (sessions.size > 1) return answerOk(stream);
      held.push(stream);
      for (const waiter of waiters.splice(0)) waiter();
    });
    const { invoker, define } = startEgress();
    const call = define(target);
    const first = invoker.invoke(call);
    if (held.length === 0) await new Promise<void>((resolve) => waiters.push(resolve));
    held[0]?.session?.goaway(0);
    await eventually(() => invoker.invoke(call)).toEqual({ kind: "success" });
    expect(sessions.size).toBeGreaterThan(1);
    const [stream] = held;
    if (stream !== undefined) answerOk(stream);
    await expect(first).resolves.toEqual({ kind: "success" });
  });

  it("keeps to the server's limit of streams with more connections", async () => {
    const sessions = new Set<unknown>();
    const target = await h2Function(
      (stream) => {
        sessions.add(stream.session);
        answerOk(stream);
      },
      { maxConcurrentStreams: 2 },
    );
    const { invoker, define } = startEgress();
    const call = define(target);
    // A stream too many would be refused by the server, and end as unreachable.
    const outcomes = await Promise.all(Array.from({ length: 30 }, () => invoker.invoke(call)));
    expect(outcomes.filter((outcome) => outcome.kind !== "success")).toEqual([]);
    expect(sessions.size).toBeGreaterThan(1);
    expect(sessions.size).toBeLessThanOrEqual(16);
  });

  it("F44, S-06: an oversize or compressed answer, two messages, or none are no success", async () => {
    const answers: Buffer[] = [
      Buffer.concat([Buffer.from([0, 0x7f, 0xff, 0xff, 0xff]), Buffer.alloc(1000)]),
      Buffer.from([1, 0, 0, 0, 1, 0]),
      Buffer.alloc(10),
      EMPTY,
      Buffer.from([0, 0, 0]),
      Buffer.from([0, 0, 0, 0, 2, 0x0f, 0x0f]),
    ];
    for (const answer of answers) {
      const target = await h2Function((stream) => {
        stream.resume();
        stream.respond({ "content-type": "application/grpc" }, { waitForTrailers: true });
        stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
        stream.end(answer);
      });
      const { invoker, define } = startEgress({ limits: { answerBytesMax: 100_000 } });
      const outcome = await invoker.invoke(define(target));
      expect(outcome, answer.toString("hex", 0, 8)).toMatchObject({ kind: "invalidResponse" });
    }
  });

  it("an answer that is HTTP and not gRPC is classed by its status", async () => {
    const expected: readonly (readonly [number, string])[] = [
      [200, "invalidResponse"],
      [503, "throttled"],
      [404, "functionError"],
    ];
    for (const [code, kind] of expected) {
      const target = await h2Function((stream) => {
        stream.resume();
        stream.respond({ ":status": code, "content-type": "text/html" });
        stream.end("<html>");
      });
      const { invoker, define } = startEgress();
      await expect(invoker.invoke(define(target))).resolves.toMatchObject({ kind });
    }
  });
});
