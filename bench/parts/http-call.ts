/**
 * One HTTP call: the invoker's path beside plain undici. µs of CPU of this process and of wall time per call, the function being a process of its own.
 *
 *   node bench/parts/http-call.ts
 */
import { fork } from "node:child_process";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import type { FunctionCall } from "@penstock/core";
import { AddressGuard, FunctionInvoker } from "@penstock/egress";
import { systemClock } from "@penstock/runtime";
import { Pool } from "undici";

const CALLS = 20_000;
const WARM_UP_CALLS = 5_000;
const ROUNDS = 3;
const PAYLOADS = [1_000, 35_000];
const CONCURRENCY = [1, 12, 64];
const HEADERS = { "content-type": "application/json", "penstock-request-id": "an-id" };

if (process.argv[2] === "function") serve();
else await measure();

function serve(): void {
  const server = createServer((request, response) => {
    request.on("data", () => {});
    request.on("end", () => response.end("{}"));
  });
  server.listen(0, "127.0.0.1", () => {
    process.send?.((server.address() as AddressInfo).port);
  });
}

async function measure(): Promise<void> {
  const child = fork(new URL(import.meta.url).pathname, ["function"]);
  const [port]: number[] = await once(child, "message");
  const origin = `http://127.0.0.1:${port}`;
  const pool = new Pool(origin, { connections: 128, headersTimeout: 0, bodyTimeout: 0 });
  const invoker = new FunctionInvoker({
    clock: systemClock,
    guard: new AddressGuard({ allowPrivateAddresses: true, ownPorts: () => [] }),
  });
  invoker.set({
    name: "f",
    revision: 1n,
    target: { kind: "http", url: `${origin}/`, headers: {} },
    timeoutMs: 60_000,
    maxConcurrency: null,
    payloadBytesMax: 6_000_000,
  });
  process.stdout.write("payload  at once  way            µs/call  CPU µs/call\n");
  for (const bytes of PAYLOADS) {
    const call = callOf(Buffer.alloc(bytes, "x"));
    const ways: Record<string, () => Promise<unknown>> = {
      "undici request": () => request(pool, call.payload),
      "undici + deadline": () => requestWithDeadline(pool, call.payload),
      FunctionInvoker: () => invoker.invoke(call),
    };
    for (const atOnce of CONCURRENCY) {
      for (const [name, way] of Object.entries(ways)) await report(bytes, atOnce, name, way);
    }
  }
  await invoker.close();
  await pool.close();
  child.kill();
}

async function report(bytes: number, atOnce: number, name: string, way: () => Promise<unknown>) {
  await run(WARM_UP_CALLS, atOnce, way);
  const rounds: { wall: number; cpu: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) rounds.push(await run(CALLS, atOnce, way));
  const middle = rounds.sort((a, b) => a.cpu - b.cpu)[ROUNDS >> 1] ?? { wall: 0, cpu: 0 };
  process.stdout.write(
    `${String(bytes).padStart(7)}${String(atOnce).padStart(9)}  ${name.padEnd(18)}` +
      `${middle.wall.toFixed(1).padStart(8)}${middle.cpu.toFixed(1).padStart(9)}\n`,
  );
}

async function run(calls: number, atOnce: number, way: () => Promise<unknown>) {
  let left = calls;
  const startedMs = performance.now();
  const before = process.cpuUsage();
  const lane = async (): Promise<void> => {
    while (left-- > 0) await way();
  };
  await Promise.all(Array.from({ length: atOnce }, lane));
  const { user, system } = process.cpuUsage(before);
  return {
    wall: ((performance.now() - startedMs) * 1000) / calls,
    cpu: (user + system) / calls,
  };
}

async function request(pool: Pool, body: Buffer): Promise<void> {
  const answer = await pool.request({ method: "POST", path: "/", headers: HEADERS, body });
  await answer.body.dump();
}

async function requestWithDeadline(pool: Pool, body: Buffer): Promise<void> {
  const signal = AbortSignal.timeout(60_000);
  const answer = await pool.request({ method: "POST", path: "/", headers: HEADERS, body, signal });
  await answer.body.dump();
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
