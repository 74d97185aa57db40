import { randomUUID } from "node:crypto";
import type { Invoker } from "@penstock/core";
import { createAddressGuards, createKeySetFetch, dialGuard } from "@penstock/egress";
import { poller } from "@penstock/proto";
import {
  advertisedAddress,
  answeredHosts,
  type Environment,
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
import { openSecrets } from "@penstock/secrets";
import { pollerApi } from "./api/poller-api.ts";
import type { EventPollerContext, Timers } from "./event-poller/context.ts";
import { NO_HISTORY } from "./event-poller/history.ts";
import { createArchiveReader } from "./node/archive-reader.ts";
import { chooseDriver } from "./node/choose-driver.ts";
import { Counters } from "./node/counters.ts";
import { FileHistory } from "./node/file-history.ts";
import { FleetLink } from "./node/fleet-link.ts";
import { FunctionCache } from "./node/function-cache.ts";
import { chooseInvokers } from "./node/invoker-choice.ts";
import { MemoryBudget } from "./node/memory-budget.ts";
import { PollerNode } from "./node/poller-node.ts";
import { ProgressReport } from "./node/progress-report.ts";
import type { PollerSettings } from "./poller-settings.ts";
import { createObservations, observePoller } from "./telemetry/observe-poller.ts";
import { createBatchTracer } from "./telemetry/otel-batch-tracer.ts";

const MIB = 1024 * 1024;
/** One fetch response, and one partition in it. */
const FETCH_BYTES_MAX = 8 * MIB;
const FETCH_PARTITION_BYTES_MAX = MIB;
/** What one compressed record batch may inflate to. */
const INFLATED_BYTES_MAX = 64 * MIB;

export interface PollerServiceOptions {
  readonly settings: PollerSettings;
  readonly log: Logger;
  readonly telemetry: Telemetry;
  /** Where `env:` references of secrets lead: PENSTOCK_SECRET_*. */
  readonly env?: Environment;
  /** The invoker of the same process, when there is one (standalone). */
  readonly invoker?: Invoker;
}

/** Starts a poller node: its API, its stream to the fleet, and whatever it is assigned. */
export async function startPollerService(options: PollerServiceOptions): Promise<Service> {
  const { settings, log, telemetry, env = {} } = options;
  const security = await openSecurity(settings, {
    log,
    meter: telemetry.meter,
    fetchJson: createKeySetFetch(settings),
  });
  const nodeId = settings.nodeId ?? randomUUID();
  const functions = new FunctionCache();
  const counters = new Counters();
  const history =
    settings.historyFile === null ? null : new FileHistory(settings.historyFile, systemClock);
  const report = new ProgressReport(() => link?.holdingsChanged());
  const memory = new MemoryBudget(settings.bufferBytesMax, () => node.memoryRelieved());
  const ownPorts = ownPortsOf(settings);
  const guards = createAddressGuards({ settings, ownPorts: () => ownPorts });
  const { sourceSecurity } = openSecrets({ settings, env, guards, clock: systemClock, log });
  const driver = chooseDriver(settings, {
    clock: systemClock,
    log,
    clientId: `penstock-${nodeId}`,
    addressGuard: dialGuard(guards.of("brokers")),
  });
  const invokers = chooseInvokers({
    choice: settings.invoker,
    local: options.invoker,
    clock: systemClock,
    log,
    security: security.invokerClient,
  });
  const context: EventPollerContext = {
    driver,
    sourceSecurity,
    invoker: invokers.invoker,
    functions,
    archive: createArchiveReader(settings.mappingService, security.client, log),
    memory,
    counters,
    observe: createObservations(telemetry),
    clock: systemClock,
    timers: nodeTimers,
    random: Math.random,
    newId: randomUUID,
    history: history ?? NO_HISTORY,
    tracer: createBatchTracer(telemetry),
    log,
    drainLimitMs: settings.drainLimitMs,
    ...(settings.kafkaStaticMembership && { staticNodeId: nodeId }),
    fetchBytesMax: FETCH_BYTES_MAX,
    fetchPartitionBytesMax: FETCH_PARTITION_BYTES_MAX,
    inflatedBytesMax: INFLATED_BYTES_MAX,
    reports: report,
  };
  const node: PollerNode = new PollerNode(context, () => link?.holdingsChanged());
  let link: FleetLink | null = null;
  const isConnected = (): boolean => link?.isConnected ?? false;
  const routes = pollerApi({
    ...{ nodeId, node, memory, clock: systemClock, isConnected },
    driver: driver.capabilities,
  });
  const rpc = await startRpcServer({
    host: settings.host,
    port: settings.grpcPort,
    log,
    routes,
    services: [poller.PollerService],
    messageBytesMax: settings.rpcMessageBytesMax,
    deadlineMsMax: settings.rpcDeadlineMsMax,
    security,
  });
  const http = await startHttpServer({
    host: settings.host,
    port: settings.httpPort,
    log,
    ready: () => (node.isDraining ? { ok: false, reason: "draining" } : { ok: true }),
    routes,
    metrics: (request, response) => telemetry.metricsHandler(request, response),
    hosts: answeredHosts(settings),
    security,
  });
  ownPorts.add(rpc.port).add(http.port);
  observePoller(telemetry, {
    ...{ node, counters, memory, isConnected, clock: systemClock },
    invokeStreams: () => invokers.connections(),
  });
  link = new FleetLink({
    address: settings.mappingService,
    nodeId,
    advertised: advertisedAddress(settings.advertisedHost, rpc),
    version: VERSION,
    node,
    functions,
    report,
    invokersChanged: invokers.fleetChanged,
    log,
    security: security.client,
  });
  const service = { grpc: `${rpc.host}:${rpc.port}`, http: `${http.host}:${http.port}` };
  log.info("ready", { ...service, id: nodeId });
  let stopping: Promise<void> | null = null;
  const stop = async (): Promise<void> => {
    rpc.setHealth(false);
    await node.drain();
    await link?.close();
    await invokers.close();
    await driver.close();
    await Promise.all([rpc.stop(), http.stop()]);
    history?.close();
    security.close();
  };
  return { ...service, stop: () => (stopping ??= stop()) };
}

const nodeTimers: Timers = {
  after(ms, fire) {
    if (ms <= 0) {
      const immediate = setImmediate(fire);
      return () => clearImmediate(immediate);
    }
    const timer = setTimeout(fire, ms);
    return () => clearTimeout(timer);
  },
};
