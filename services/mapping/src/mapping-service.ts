import { randomUUID } from "node:crypto";
import { join } from "node:path";
import type { ConnectRouter } from "@connectrpc/connect";
import { compileFilter } from "@penstock/core";
import { createKeySetFetch } from "@penstock/egress";
import { type Database, openDatabase } from "@penstock/postgres";
import { fleet as fleetProto, mapping } from "@penstock/proto";
import {
  advertisedAddress,
  answeredHosts,
  createHistogram,
  createRpcTransport,
  type Environment,
  type HttpExtra,
  type HttpServer,
  type Logger,
  METRICS,
  openSecurity,
  type RpcServer,
  type Security,
  type Service,
  startHttpServer,
  startRpcServer,
  systemClock,
  type Telemetry,
} from "@penstock/runtime";
import { secretReferenceProblem } from "@penstock/secrets";
import { functionService } from "./api/function-routes.ts";
import { mappingService } from "./api/mapping-routes.ts";
import { createAwsEndpoint } from "./aws/aws-endpoint.ts";
import { createMappingCommands } from "./commands/create-mapping-commands.ts";
import { createRequestDigest } from "./commands/request-digest.ts";
import { createFleet, type Fleet } from "./fleet/create-fleet.ts";
import { createFunctionCommands, type FunctionCommands } from "./functions/function-commands.ts";
import { readFunctionsFile } from "./functions/functions-file.ts";
import { createHeaderSeal } from "./functions/header-seal.ts";
import { openFunctionRegistry } from "./functions/open-function-registry.ts";
import { inspectRoutes } from "./inspect/inspect-routes.ts";
import { prepareDatabase } from "./prepare-database.ts";
import { createFilterSeal } from "./seal/filter-seal.ts";
import { readKmsKeysFile } from "./seal/kms-keys-file.ts";
import { readSealKey } from "./seal/seal-key-file.ts";
import type { MappingSettings } from "./settings.ts";
import { openSources } from "./source/open-sources.ts";
import { startUpkeep } from "./upkeep/upkeep.ts";
import { WatchHub } from "./watch/watch-hub.ts";

export interface MappingServiceParts {
  readonly log: Logger;
  /** Where the numbers of the control plane go. */
  readonly meter?: Telemetry["meter"];
  /** Where `env:` references of secrets lead: PENSTOCK_SECRET_*. */
  readonly env?: Environment;
  /** Serves `/metrics`. */
  readonly metrics?: Parameters<typeof startHttpServer>[0]["metrics"];
}

/**
 * Starts the control plane.
 *
 *   key file, functions file ─▶ listeners up ("ready") ─▶ database there and migrated ─▶ controllers start
 *
 * Resolves when the listeners are up, whether or not Postgres answers: until then, and whenever it is away, calls are answered with
 * UNAVAILABLE and `/readyz` says why.
 *
 * @throws PenstockError `invalidArgument` for a bad file of keys or functions.
 */
export async function startMappingService(
  settings: MappingSettings,
  { log, metrics, meter, env = {} }: MappingServiceParts,
): Promise<Service> {
  const fetchJson = createKeySetFetch(settings);
  const security = await openSecurity(settings, { log, meter, fetchJson });
  const keyFile = settings.encryptionKeyFile ?? join(settings.dataDir, "encryption-key");
  const sealKey = await readSealKey(keyFile);
  const seal = createHeaderSeal(sealKey);
  const functions = settings.functions === null ? [] : await readFunctionsFile(settings.functions);
  const db = openDatabase({ url: settings.databaseUrl.reveal(), log, isGated: true });
  const scope = { region: settings.region, accountId: settings.accountId };
  const ring = settings.kmsKeys === null ? new Map() : await readKmsKeysFile(settings.kmsKeys);
  const filters = createFilterSeal(ring);
  const watches = new WatchHub({ db, scope, filters });
  const sources = openSources(settings, { log, clock: systemClock, env });
  const looks = meter && createHistogram(meter, METRICS.leaderLookSeconds);
  const fleet = createFleet({
    db,
    log,
    clock: systemClock,
    settings,
    functions: openFunctionRegistry(db, seal, log),
    filters,
    kafkaAdmin: sources.openAdmin,
    observeLook: (durationMs) => looks?.record(durationMs / 1000),
  });
  const commandParts = {
    db,
    digest: createRequestDigest(sealKey),
    scope,
    filters,
    clock: systemClock,
    rules: {
      isStrict: settings.awsStrict,
      check: compileFilter,
      checkSecretReference: secretReferenceProblem,
    },
    checkSource: sources.checkSource,
    newId: randomUUID,
  };
  const commands = createMappingCommands(commandParts);
  const inspections = inspectRoutes({
    commands,
    commandParts,
    dial: (address) => createRpcTransport({ address, security: security.client }),
    openSource: sources.openAdmin,
  });
  const routes = apiRoutes(
    { db, scope, commands, watches },
    inspections,
    createFunctionCommands(commandParts, seal),
  );
  const state = { isPrepared: false };
  const servers = await startServers(settings, log, {
    metrics,
    security,
    rpc: (router) => {
      routes(router);
      fleet.routes(router);
    },
    http: routes,
    aws: createAwsEndpoint({
      commands,
      scope,
      log,
      clock: systemClock,
      newId: randomUUID,
      bodyBytesMax: settings.httpBodyBytesMax,
      throttle: { perSecond: settings.awsRequestsPerSecond, burst: settings.awsRequestBurst },
    }),
    ready: () => readiness(db, state.isPrepared),
  });
  const endUpkeep = startUpkeep({
    db,
    filters,
    nodeVanishedMs: settings.nodeVanishedMs,
    isLeader: () => fleet.isLeader(),
    ...(meter && { meter }),
  });
  const end = new AbortController();
  end.signal.addEventListener("abort", endUpkeep);
  const preparing = prepareDatabase({ db, log, seal, functions, signal: end.signal }).then(
    (isPrepared) => {
      state.isPrepared = isPrepared;
      if (isPrepared) fleet.start();
    },
  );
  const addresses = {
    grpc: advertisedAddress(settings.advertisedHost, servers.rpc),
    http: advertisedAddress(settings.advertisedHost, servers.http),
  };
  log.info("ready", { ...addresses, id: fleet.replicaId });
  let stopping: Promise<void> | null = null;
  return {
    ...addresses,
    stop: () => {
      stopping ??= stop({ end, preparing, servers, watches, fleet, db, security });
      return stopping;
    },
  };
}

function apiRoutes(
  context: Parameters<typeof mappingService>[0],
  inspections: ReturnType<typeof inspectRoutes>,
  functions: FunctionCommands,
) {
  return (router: ConnectRouter): void => {
    router.service(mapping.MappingService, { ...mappingService(context), ...inspections });
    router.service(mapping.FunctionService, functionService(context.db, functions));
  };
}

function readiness(db: Database, isPrepared: boolean) {
  if (!db.isReachable) return { ok: false, reason: "the database does not answer" };
  return isPrepared ? { ok: true } : { ok: false, reason: "the schema is not there yet" };
}

interface Servers {
  readonly rpc: RpcServer;
  readonly http: HttpServer;
}

interface Faces {
  readonly rpc: (router: ConnectRouter) => void;
  readonly http: (router: ConnectRouter) => void;
  readonly aws: HttpExtra;
  readonly ready: () => { ok: boolean; reason?: string };
  readonly security: Security;
  readonly metrics: MappingServiceParts["metrics"];
}

async function startServers(
  settings: MappingSettings,
  log: Logger,
  faces: Faces,
): Promise<Servers> {
  const limits = {
    host: settings.host,
    log,
    messageBytesMax: settings.rpcMessageBytesMax,
    deadlineMsMax: settings.rpcDeadlineMsMax,
    security: faces.security,
  };
  const rpc = await startRpcServer({
    ...limits,
    port: settings.grpcPort,
    routes: faces.rpc,
    services: [mapping.MappingService, mapping.FunctionService, fleetProto.FleetService],
  });
  try {
    const http = await startHttpServer({
      ...limits,
      port: settings.httpPort,
      routes: faces.http,
      extra: faces.aws,
      ready: faces.ready,
      messageBytesMax: settings.httpBodyBytesMax,
      hosts: answeredHosts(settings),
      ...(faces.metrics && { metrics: faces.metrics }),
    });
    return { rpc, http };
  } catch (error) {
    await rpc.stop();
    throw error;
  }
}

interface Running {
  readonly end: AbortController;
  readonly preparing: Promise<void>;
  readonly servers: Servers;
  readonly watches: WatchHub;
  readonly fleet: Fleet;
  readonly db: Database;
  readonly security: Security;
}

/** Callers first, then controllers, the database last: what still runs can finish its statement. */
async function stop(running: Running): Promise<void> {
  const { end, preparing, servers, watches, fleet, db } = running;
  end.abort();
  servers.rpc.setHealth(false);
  await watches.close();
  await Promise.all([servers.rpc.stop(), servers.http.stop(), fleet.stop()]);
  await db.close();
  await preparing;
  running.security.close();
}
