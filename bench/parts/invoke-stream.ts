/**
 * The way between a poller and an invoker alone: µs of CPU on both sides and of wall time per call, for a call that the invoker answers
 * at once.
 *
 *   node bench/parts/invoke-stream.ts
 *
 * Servers: the handler on the bare HTTP/2 stream, or the same through the RPC library. Clients: the poller's, or grpc-js with pass-through
 * buffers.
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { create } from "@bufbuild/protobuf";
import { Client, credentials } from "@grpc/grpc-js";
import type { FunctionCall } from "@penstock/core";
import {
  AddressGuard,
  decodeStreamResponse,
  encodeStreamRequestHead,
  FunctionInvoker,
} from "@penstock/egress";
import { INVOKE_STREAM_PATH, StreamServer } from "@penstock/invoker-service";
import { InvokerPool } from "@penstock/poller-service";
import { invoker as proto } from "@penstock/proto";
import { createLogger, startRpcServer, systemClock } from "@penstock/runtime";

const PAYLOADS = [1_000, 35_000, 1_000_000];
const CONCURRENCY = [1, 12, 64];
const ROUNDS = 3;
const BYTES_MAX = 400_000_000;

const log = createLogger({ service: "bench", destination: { write: () => {} } });

if (process.argv[2] === "raw" || process.argv[2] === "library") await serve(process.argv[2]);
else await measure();

async function serve(kind: "raw" | "library"): Promise<void> {
  const invoker = new FunctionInvoker({
    clock: systemClock,
    guard: new AddressGuard({ allowPrivateAddresses: true, ownPorts: () => [] }),
  });
  const server = new StreamServer(invoker, { callsInFlightMax: 1024, invokerId: "bench" }, log);
  const rpc = await startRpcServer({
    host: "127.0.0.1",
    port: 0,
    log,
    services: [proto.InvokerService],
    ...(kind === "raw"
      ? {
          rawStreams: { [INVOKE_STREAM_PATH]: (stream, headers) => server.handle(stream, headers) },
        }
      : {}),
    routes: (router) => router.service(proto.InvokerService, { invokeStream: answerAll }),
  });
  process.on("message", () => process.send?.(process.cpuUsage()));
  process.send?.(rpc.port);
}

async function* answerAll(requests: AsyncIterable<proto.InvokeStreamRequest>) {
  const settings = { callsInFlightMax: 1024, invokerId: "bench" };
  yield create(proto.InvokeStreamResponseSchema, { settings });
  for await (const { correlationId } of requests) {
    const outcome = { kind: proto.OutcomeKind.UNKNOWN_FUNCTION, message: "not known" };
    yield create(proto.InvokeStreamResponseSchema, { correlationId, outcome });
  }
}

interface Way {
  invoke(call: FunctionCall): Promise<unknown>;
  close(): void;
}

async function measure(): Promise<void> {
  process.stdout.write("server   client   payload  at once  µs/call  CPU here  CPU there  MB/s\n");
  for (const kind of ["raw", "library"] as const) {
    const child = fork(new URL(import.meta.url).pathname, [kind]);
    const [port]: number[] = await once(child, "message");
    const cpuThere = async (): Promise<number> => {
      child.send("cpu");
      const [usage]: NodeJS.CpuUsage[] = await once(child, "message");
      return (usage?.user ?? 0) + (usage?.system ?? 0);
    };
    const clients = { poller: pollerClient, "grpc-js": grpcClient };
    for (const [name, open] of Object.entries(clients)) {
      const way = open(`127.0.0.1:${port}`);
      for (const bytes of PAYLOADS) {
        for (const atOnce of CONCURRENCY) {
          const calls = Math.min(10_000, Math.floor(BYTES_MAX / bytes));
          const call = callOf(Buffer.alloc(bytes, "x"));
          await run(Math.ceil(calls / 4), atOnce, way, call, cpuThere);
          const rounds = [];
          for (let round = 0; round < ROUNDS; round++) {
            rounds.push(await run(calls, atOnce, way, call, cpuThere));
          }
          const [wall, here, there] = rounds.sort((a, b) => a[0] - b[0])[ROUNDS >> 1] ?? [0, 0, 0];
          process.stdout.write(
            `${kind.padEnd(9)}${name.padEnd(9)}${String(bytes).padStart(7)}${String(atOnce).padStart(9)}` +
              `${wall.toFixed(1).padStart(9)}${here.toFixed(1).padStart(10)}${there.toFixed(1).padStart(11)}` +
              `${(bytes / wall).toFixed(0).padStart(6)}\n`,
          );
        }
      }
      way.close();
    }
    child.kill();
  }
}

async function run(
  calls: number,
  atOnce: number,
  way: Way,
  call: FunctionCall,
  cpuThere: () => Promise<number>,
): Promise<[wall: number, here: number, there: number]> {
  let left = calls;
  const thereBefore = await cpuThere();
  const startedMs = performance.now();
  const before = process.cpuUsage();
  const lane = async (): Promise<void> => {
    while (left-- > 0) await way.invoke(call);
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const { user, system } = process.cpuUsage(before);
  const wall = ((performance.now() - startedMs) * 1000) / calls;
  return [wall, (user + system) / calls, ((await cpuThere()) - thereBefore) / calls];
}

function pollerClient(address: string): Way {
  const pool = new InvokerPool({ clock: systemClock, random: Math.random, log });
  pool.setInvokers([{ address }]);
  return pool;
}

function grpcClient(address: string): Way {
  const client = new Client(address, credentials.createInsecure());
  const pass = (bytes: Buffer): Buffer => bytes;
  const stream = client.makeBidiStreamRequest(INVOKE_STREAM_PATH, pass, pass);
  const waiting = new Map<number, (value: unknown) => void>();
  let id = 1;
  stream.on("error", () => {});
  stream.on("data", (bytes: Buffer) => {
    const response = decodeStreamResponse(bytes);
    if ("settings" in response) return;
    waiting.get(response.correlationId)?.(response.outcome);
    waiting.delete(response.correlationId);
  });
  return {
    invoke: (call) =>
      new Promise((resolve) => {
        waiting.set(id, resolve);
        // grpc-js writes the frame head itself.
        const head = encodeStreamRequestHead(id++, call).subarray(5);
        stream.write(Buffer.concat([head, call.payload]));
      }),
    close: () => {
      stream.cancel();
      client.close();
    },
  };
}

function callOf(payload: Buffer): FunctionCall {
  return {
    functionName: "f",
    functionRevision: 1n,
    qualifier: "",
    format: "lambdaJson",
    payload,
    requestId: "7e5bd9a2-6a0e-4a7e-9d4c-3f6d4b1f0001",
    mappingId: "7e5bd9a2-6a0e-4a7e-9d4c-3f6d4b1f0002",
    attempt: 1,
    traceparent: "",
    tracestate: "",
    recordCount: 1,
    timeoutMs: 60_000,
  };
}
