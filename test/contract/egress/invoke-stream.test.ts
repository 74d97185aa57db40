import { randomBytes } from "node:crypto";
import type { ServerResponse } from "node:http";
import { create, fromBinary, toBinary } from "@bufbuild/protobuf";
import { Client, type ClientDuplexStream, credentials } from "@grpc/grpc-js";
import { invoker as proto } from "@penstock/proto";
import { describe, expect, it, onTestFinished } from "vitest";
import { eventually, httpFunction, startEgress } from "./egress-world.ts";
import { CALL, serveStream, startPool } from "./stream-world.ts";

const PATH = "/penstock.invoker.v1.InvokerService/InvokeStream";

/** A peer that is not ours: grpc-js with generated messages. */
function foreignStream(address: string) {
  const client = new Client(address, credentials.createInsecure());
  const stream: ClientDuplexStream<proto.InvokeStreamRequest, proto.InvokeStreamResponse> =
    client.makeBidiStreamRequest(
      PATH,
      (message: proto.InvokeStreamRequest) =>
        Buffer.from(toBinary(proto.InvokeStreamRequestSchema, message)),
      (bytes: Buffer) => fromBinary(proto.InvokeStreamResponseSchema, bytes),
    );
  const responses: proto.InvokeStreamResponse[] = [];
  let status = -1;
  stream.on("data", (response: proto.InvokeStreamResponse) => responses.push(response));
  stream.on("status", (end) => {
    status = end.code;
  });
  stream.on("error", () => {});
  onTestFinished(() => {
    stream.cancel();
    client.close();
  });
  return {
    stream,
    responses,
    status: () => status,
    call(correlationId: bigint, more: Partial<proto.InvokeStreamRequest> = {}) {
      stream.write(
        create(proto.InvokeStreamRequestSchema, {
          ...CALL,
          payloadFormat: proto.PayloadFormat.LAMBDA_JSON,
          correlationId,
          ...more,
        }),
      );
    },
  };
}

async function heldFunction() {
  const held: ServerResponse[] = [];
  const url = await httpFunction((request, response) => {
    request.resume();
    held.push(response);
  });
  return { url, held };
}

describe("InvokeStream, seen by a foreign peer", () => {
  it("greets with its settings, answers by correlation id and ends OK after the last answer", async () => {
    const url = await httpFunction((request, response) => {
      request.resume();
      response.writeHead(Number(request.headers["penstock-attempt"])).end();
    });
    const { invoker, define } = startEgress();
    define(url, { name: "f" });
    const { address } = await serveStream(invoker);
    const peer = foreignStream(address);
    const big = (1n << 63n) + 5n;
    peer.call(1n, { attempt: 200 });
    peer.call(big, { attempt: 429 });
    peer.call(3n, { attempt: 500, payload: randomBytes(3_000_000) });
    peer.call(4n, { functionName: "none" });
    peer.call(5n, { functionRevision: 9n });
    peer.stream.end();
    await eventually(peer.status).toBe(0);
    expect(peer.responses[0]?.settings).toMatchObject({
      callsInFlightMax: 256,
      invokerId: "invoker-1",
    });
    const kinds = new Map(
      peer.responses.slice(1).map(({ correlationId, outcome }) => [correlationId, outcome]),
    );
    expect(kinds.size).toBe(5);
    expect(kinds.get(1n)).toMatchObject({ kind: proto.OutcomeKind.SUCCESS, statusCode: 200 });
    expect(kinds.get(big)).toMatchObject({ kind: proto.OutcomeKind.THROTTLED, statusCode: 429 });
    expect(kinds.get(3n)).toMatchObject({ kind: proto.OutcomeKind.FUNCTION_ERROR });
    expect(kinds.get(4n)).toMatchObject({ kind: proto.OutcomeKind.UNKNOWN_FUNCTION });
    expect(kinds.get(5n)).toMatchObject({ kind: proto.OutcomeKind.STALE_FUNCTION });
  });

  it("F11: malformed and unset requests end the stream with INVALID_ARGUMENT", async () => {
    const { invoker } = startEgress();
    const { address } = await serveStream(invoker);
    const peer = foreignStream(address);
    peer.call(1n, { payloadFormat: proto.PayloadFormat.UNSPECIFIED });
    await eventually(peer.status).toBe(3);
  });

  it("F49: calls above the window are answered THROTTLED and read all the same", async () => {
    const { url, held } = await heldFunction();
    const { invoker, define } = startEgress();
    define(url, { name: "f" });
    const { address } = await serveStream(invoker, { callsInFlightMax: 3 });
    const peer = foreignStream(address);
    for (let id = 1n; id <= 20n; id++) peer.call(id);
    await eventually(() => peer.responses.length).toBe(1 + 17);
    expect(held.length).toBe(3);
    for (const response of held) response.end();
    await eventually(() => peer.responses.length).toBe(1 + 20);
    const throttled = peer.responses.filter(
      ({ outcome }) => outcome?.kind === proto.OutcomeKind.THROTTLED,
    );
    expect(throttled.length).toBe(17);
  });
});

describe("InvokerPool over a stream in process", () => {
  it("brings every outcome across", async () => {
    const url = await httpFunction((request, response) => {
      request.resume();
      const status = Number(request.headers["penstock-attempt"]);
      response.writeHead(status, { "retry-after": "7" }).end();
    });
    const { invoker, define } = startEgress();
    define(url, { name: "f" });
    const { address } = await serveStream(invoker);
    const pool = startPool([address]);
    await expect(pool.invoke({ ...CALL, attempt: 200 })).resolves.toEqual({ kind: "success" });
    await expect(pool.invoke({ ...CALL, attempt: 503 })).resolves.toMatchObject({
      kind: "throttled",
      retryAfterMs: 7_000,
    });
    await expect(pool.invoke({ ...CALL, attempt: 418 })).resolves.toMatchObject({
      kind: "functionError",
      statusCode: 418,
    });
  });

  it("F49: many large calls at once all arrive whole, within the window", async () => {
    let bytes = 0;
    const url = await httpFunction((request, response) => {
      request.on("data", (chunk: Buffer) => {
        bytes += chunk.length;
      });
      request.on("end", () => response.end());
    });
    const { invoker, define } = startEgress();
    define(url, { name: "f" });
    const { address } = await serveStream(invoker, { callsInFlightMax: 8 });
    const pool = startPool([address], { waitMaxMs: 30_000 });
    const payload = randomBytes(500_000);
    const calls = Array.from({ length: 100 }, () => pool.invoke({ ...CALL, payload }));
    const outcomes = await Promise.all(calls);
    expect(outcomes.filter(({ kind }) => kind !== "success")).toEqual([]);
    expect(bytes).toBe(100 * 500_000);
  });

  it("F48: without an invoker a call ends unmade after a bounded wait", async () => {
    const pool = startPool([], { waitMaxMs: 50 });
    await expect(pool.invoke(CALL)).resolves.toMatchObject({
      kind: "connectionLost",
      mayHaveRun: false,
    });
    pool.setInvokers([{ address: "127.0.0.1:1" }]);
    await expect(pool.invoke(CALL)).resolves.toMatchObject({
      kind: "connectionLost",
      mayHaveRun: false,
    });
  });

  it("F48: a waiting call goes to the first invoker that comes", async () => {
    const url = await httpFunction((_request, response) => response.end());
    const { invoker, define } = startEgress();
    define(url, { name: "f" });
    const pool = startPool([]);
    const outcome = pool.invoke(CALL);
    const { address } = await serveStream(invoker);
    pool.setInvokers([{ address }]);
    await expect(outcome).resolves.toEqual({ kind: "success" });
  });

  it("F48: on GOAWAY a call under way is answered and the next one goes elsewhere", async () => {
    const { url, held } = await heldFunction();
    const one = startEgress();
    one.define(url, { name: "f" });
    const first = await serveStream(one.invoker);
    const pool = startPool([first.address]);
    const outcome = pool.invoke(CALL);
    await eventually(() => held.length).toBe(1);
    const two = startEgress();
    two.define(await httpFunction((_request, response) => response.end()), { name: "f" });
    const second = await serveStream(two.invoker);
    pool.setInvokers([{ address: first.address }, { address: second.address }]);
    const stopped = first.stop();
    await eventually(() => [...pool.connections()].map(({ state }) => state)).toEqual([
      "draining",
      "open",
    ]);
    for (let round = 0; round < 5; round++) {
      await expect(pool.invoke(CALL)).resolves.toEqual({ kind: "success" });
    }
    held[0]?.end();
    await expect(outcome).resolves.toEqual({ kind: "success" });
    await stopped;
  });

  it("F48: after a restart of the invoker the pool connects again", async () => {
    const url = await httpFunction((_request, response) => response.end());
    const { invoker, define } = startEgress();
    define(url, { name: "f" });
    const first = await serveStream(invoker);
    const pool = startPool([first.address]);
    await expect(pool.invoke(CALL)).resolves.toEqual({ kind: "success" });
    await first.stop();
    await serveStream(invoker, { port: first.port });
    await expect(pool.invoke(CALL)).resolves.toEqual({ kind: "success" });
  });

  it("F47, F48: a call whose stream broke is lost only after its deadline, and its late answer is ignored", async () => {
    const { url, held } = await heldFunction();
    const { invoker, define } = startEgress();
    define(url, { name: "f" });
    const { address, server } = await serveStream(invoker);
    const pool = startPool([address]);
    const startedMs = performance.now();
    const outcome = pool.invoke({ ...CALL, timeoutMs: 1_000 });
    await eventually(() => held.length).toBe(1);
    server.resetAll();
    held[0]?.end();
    await expect(outcome).resolves.toMatchObject({ kind: "connectionLost", mayHaveRun: true });
    expect(performance.now() - startedMs).toBeGreaterThan(1_000);
    expect(performance.now() - startedMs).toBeLessThan(5_000);
  });

  it("takes turns between invokers and keeps to the set it is given", async () => {
    const counts = [0, 0];
    const addresses: string[] = [];
    for (const index of [0, 1]) {
      const { invoker, define } = startEgress();
      const url = await httpFunction((_request, response) => {
        counts[index] = (counts[index] ?? 0) + 1;
        response.end();
      });
      define(url, { name: "f" });
      addresses.push((await serveStream(invoker)).address);
    }
    const pool = startPool(addresses);
    await eventually(() => [...pool.connections()].filter((c) => c.state === "open").length).toBe(
      2,
    );
    for (let round = 0; round < 20; round++) await pool.invoke(CALL);
    expect(counts).toEqual([10, 10]);
    pool.setInvokers([{ address: addresses[1] ?? "" }]);
    for (let round = 0; round < 10; round++) await pool.invoke(CALL);
    expect(counts).toEqual([10, 20]);
    pool.setInvokers([]);
    await expect(pool.invoke(CALL)).resolves.toEqual({ kind: "success" });
  });
});
