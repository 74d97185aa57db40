import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import type { FunctionCall } from "@penstock/core";
import type { FunctionInvoker } from "@penstock/egress";
import { INVOKE_STREAM_PATH, StreamServer } from "@penstock/invoker-service";
import { InvokerPool, type InvokerPoolOptions } from "@penstock/poller-service";
import { createLogger, startRpcServer, systemClock } from "@penstock/runtime";
import { onTestFinished } from "vitest";

export const QUIET = createLogger({ service: "test", destination: { write: () => {} } });

/** An invoke stream server in this process; stopped with the test. */
export async function serveStream(
  invoker: FunctionInvoker,
  options: { port?: number; callsInFlightMax?: number } = {},
): Promise<{ port: number; address: string; server: StreamServer; stop(): Promise<void> }> {
  const settings = { callsInFlightMax: options.callsInFlightMax ?? 256, invokerId: "invoker-1" };
  const server = new StreamServer(invoker, settings, QUIET);
  const rpc = await startRpcServer({
    host: "127.0.0.1",
    port: options.port ?? 0,
    log: QUIET,
    routes: () => {},
    services: [],
    rawStreams: { [INVOKE_STREAM_PATH]: (stream, headers) => server.handle(stream, headers) },
  });
  onTestFinished(() => rpc.stop());
  return { port: rpc.port, address: `127.0.0.1:${rpc.port}`, server, stop: () => rpc.stop() };
}

export function startPool(
  addresses: readonly string[],
  options: Partial<InvokerPoolOptions> = {},
): InvokerPool {
  const pool = new InvokerPool({
    clock: systemClock,
    random: () => 0,
    log: QUIET,
    backoffMinMs: 20,
    ...options,
  });
  pool.setInvokers(addresses.map((address) => ({ address })));
  onTestFinished(() => pool.close());
  return pool;
}

export interface InvokerProcess {
  readonly address: string;
  readonly child: ChildProcess;
}

/** An invoker as a process of its own that knows one HTTP function, `f`, revision 1. */
export async function spawnInvoker(url: string): Promise<InvokerProcess> {
  const script = new URL("invoker-process.ts", import.meta.url).pathname;
  const child = spawn(process.execPath, [script, url], { stdio: ["ignore", "pipe", "inherit"] });
  onTestFinished(async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const gone = once(child, "exit");
    child.kill("SIGKILL");
    await gone;
  });
  const [line]: Buffer[] = await once(child.stdout, "data");
  return { address: `127.0.0.1:${String(line).trim()}`, child };
}

export const CALL: FunctionCall = {
  functionName: "f",
  functionRevision: 1n,
  qualifier: "",
  format: "lambdaJson",
  payload: Buffer.from('{"records":{}}'),
  requestId: "7e5bd9a2-6a0e-4a7e-9d4c-3f6d4b1f0001",
  mappingId: "7e5bd9a2-6a0e-4a7e-9d4c-3f6d4b1f0002",
  attempt: 1,
  traceparent: "",
  tracestate: "",
  recordCount: 1,
  timeoutMs: 10_000,
};
