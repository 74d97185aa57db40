import { AddressGuard, FunctionInvoker } from "@penstock/egress";
import { INVOKE_STREAM_PATH, StreamServer } from "@penstock/invoker-service";
import { createLogger, startRpcServer, systemClock } from "@penstock/runtime";

/** An invoker as a process: the function is at the URL of the first argument. Writes its port. */
const log = createLogger({ service: "test", destination: { write: () => {} } });
const invoker = new FunctionInvoker({
  clock: systemClock,
  guard: new AddressGuard({ allowPrivateAddresses: true, ownPorts: () => [] }),
});
invoker.set({
  name: "f",
  revision: 1n,
  target: { kind: "http", url: process.argv[2] ?? "", headers: {} },
  timeoutMs: 60_000,
  maxConcurrency: null,
  payloadBytesMax: 64 * 1024 * 1024,
});
const server = new StreamServer(invoker, { callsInFlightMax: 256, invokerId: "child" }, log);
const rpc = await startRpcServer({
  host: "127.0.0.1",
  port: 0,
  log,
  routes: () => {},
  services: [],
  rawStreams: { [INVOKE_STREAM_PATH]: (stream, headers) => server.handle(stream, headers) },
});
process.stdout.write(`${rpc.port}\n`);
