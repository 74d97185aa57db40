import { randomUUID } from "node:crypto";
import { create } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import type { Invoker } from "@penstock/core";
import { createAddressGuards, createKeySetFetch, InvokerCore } from "@penstock/egress";
import { fleet, invoker } from "@penstock/proto";
import {
  advertisedAddress,
  answeredHosts,
  joinFleet,
  type Logger,
  openSecurity,
  ownPortsOf,
  type Service,
  startHttpServer,
  startRpcServer,
  systemClock,
  type Telemetry,
  VERSION,
} from "@penstock/runtime";
import { handleInvoke } from "./invoke/invoke-handler.ts";
import { INVOKE_STREAM_PATH, StreamServer } from "./invoke-stream/stream-server.ts";
import type { InvokerSettings } from "./invoker-settings.ts";
import { createCallObserver, observeInvoker } from "./telemetry/observe-invoker.ts";

/**
 * The invoker service: functions and concurrency shares from the fleet stream, calls from pollers over `InvokeStream`, trial calls
 * over `Invoke`, each to the function and back.
 *
 * A stop first tells the fleet (the stream ends) and the pollers (GOAWAY), so that new calls go elsewhere, and then waits for the calls
 * under way.
 */
export interface InvokerServiceOptions {
  readonly settings: InvokerSettings;
  readonly log: Logger;
  readonly telemetry: Telemetry;
}

export interface InvokerService extends Service {
  /** The same invoker for callers of the same process. */
  readonly invoker: Invoker;
}

const CALLS_IN_FLIGHT_MAX = 256;
const SHARE_USE_INTERVAL_MS = 1_000;

export async function startInvokerService(options: InvokerServiceOptions): Promise<InvokerService> {
  const { settings, log, telemetry } = options;
  const security = await openSecurity(settings, {
    log,
    meter: telemetry.meter,
    fetchJson: createKeySetFetch(settings),
  });
  const invokerId = settings.nodeId ?? randomUUID();
  const ownPorts = ownPortsOf(settings);
  const guards = createAddressGuards({ settings, ownPorts: () => ownPorts });
  const core = new InvokerCore({
    clock: systemClock,
    guard: guards.of("functions"),
    observer: createCallObserver(telemetry),
    onUnusable: (functionName, error) => log.warn("function not usable", { functionName, error }),
  });
  const streams = new StreamServer(
    core.invoker,
    { callsInFlightMax: CALLS_IN_FLIGHT_MAX, invokerId },
    log,
  );
  const routes = (router: ConnectRouter): void => {
    router.service(invoker.InvokerService, {
      invoke: (request, context) => handleInvoke(core, request, context),
    });
  };
  const rpc = await startRpcServer({
    host: settings.host,
    port: settings.grpcPort,
    log,
    routes,
    services: [invoker.InvokerService],
    rawStreams: { [INVOKE_STREAM_PATH]: (stream, headers) => streams.handle(stream, headers) },
    stopMsMax: settings.drainLimitMs,
    security,
  });
  const http = await startHttpServer({
    host: settings.host,
    port: settings.httpPort,
    log,
    routes,
    ready: () => (core.hasFunctions ? { ok: true } : { ok: false, reason: "no functions yet" }),
    metrics: (request, response) => telemetry.metricsHandler(request, response),
    hosts: answeredHosts(settings),
    security,
  });
  ownPorts.add(rpc.port).add(http.port);
  observeInvoker(telemetry, core.invoker, () => streams.streams);
  const membership = joinFleet({
    address: settings.mappingService,
    hello: {
      nodeId: invokerId,
      kind: fleet.NodeKind.INVOKER,
      address: advertisedAddress(settings.advertisedHost, rpc),
      version: VERSION,
    },
    log,
    onMessage: (message) => core.apply(message),
    onConnected: () => {},
    onDisconnected: () => {},
    security: security.client,
  });
  const reports = setInterval(() => reportUse(core, membership), SHARE_USE_INTERVAL_MS);
  const service = {
    grpc: `${rpc.host}:${rpc.port}`,
    http: `${http.host}:${http.port}`,
    invoker: core.invoker,
  };
  log.info("ready", { grpc: service.grpc, http: service.http, id: invokerId });

  let stopping: Promise<void> | null = null;
  async function stop(): Promise<void> {
    clearInterval(reports);
    rpc.setHealth(false);
    await membership.close();
    await rpc.stop();
    await http.stop();
    await core.invoker.close();
    security.close();
  }
  return { ...service, stop: () => (stopping ??= stop()) };
}

/** Slots in use, so that the leader never grants a share twice. */
function reportUse(core: InvokerCore, membership: ReturnType<typeof joinFleet>): void {
  if (!membership.isConnected) return;
  const uses = [...core.invoker.use()]
    .filter((use) => use.isLimited)
    .map(({ functionName, inFlight, waiting }) =>
      create(fleet.FunctionUseSchema, { functionName, inFlight, waiting }),
    );
  if (uses.length === 0) return;
  const message = { case: "shareUse", value: create(fleet.ShareUseSchema, { uses }) } as const;
  // Not sent when the queue is full: the next one comes in a second.
  membership.send(create(fleet.JoinRequestSchema, { message }));
}
