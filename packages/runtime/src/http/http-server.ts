/**
 * An HTTP port (HTTP/1.1, in the clear or over TLS): probes, metrics, the service's RPCs as Connect (JSON or protobuf), and what the
 * service adds.
 *
 *     request ─▶ host guard ─▶ /healthz /readyz ─▶ /metrics (viewer) ─▶ RPC paths (the gate) ─▶ extra (authenticates) ─▶ 404
 *
 * Every limit is set: header and request time, header bytes, message bytes, connections (S-19, S-20). No CORS: a browser page of
 * another origin gets nothing.
 */
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import { createServer as createTlsServer } from "node:https";
import type { AddressInfo } from "node:net";
import type { Server as TlsServer } from "node:tls";
import type { ConnectRouter } from "@connectrpc/connect";
import { listenerSecurity } from "../auth/listener-security.ts";
import type { ListenerSecurity } from "../auth/open-security.ts";
import type { Logger } from "../logs/logger.ts";
import { RpcGate } from "../rpc/server/rpc-gate.ts";
import { createRpcHandler, type RpcHandler } from "../rpc/server/rpc-handler.ts";
import { listen } from "../service/listen.ts";
import { followIdentity, listenerOptions } from "../tls/listener-tls.ts";
import { openSockets } from "../tls/open-sockets.ts";
import { createHostGuard } from "./host-guard.ts";
import {
  type HttpAuthentication,
  httpAuthentication,
  respondDenied,
} from "./http-authentication.ts";
import { respondJson } from "./respond-json.ts";

export interface Readiness {
  readonly ok: boolean;
  /** Why not. */
  readonly reason?: string;
}

/** Serves what neither a probe nor an RPC is. */
export type HttpExtra = (
  request: IncomingMessage,
  response: ServerResponse,
  authentication: HttpAuthentication,
) => boolean;

export interface HttpServerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly log: Logger;
  readonly ready: () => Readiness;
  /** RPCs to serve as Connect JSON and protobuf. */
  readonly routes?: (router: ConnectRouter) => void;
  readonly metrics?: (request: IncomingMessage, response: ServerResponse) => void;
  /** Any other path; returns false when it doesn't take the request. It has to authenticate what it serves. */
  readonly extra?: HttpExtra;
  /** More names for the Host header: the advertised host, those of PENSTOCK_HTTP_HOSTS. */
  readonly hosts?: readonly string[];
  /** Default 16 MiB. */
  readonly messageBytesMax?: number;
  /** Default 15 min. */
  readonly deadlineMsMax?: number;
  /** Until all headers are here; default 10 s. */
  readonly headersMsMax?: number;
  /** Until the whole request is here; default 30 s. */
  readonly requestMsMax?: number;
  /** Default 500. */
  readonly connectionsMax?: number;
  /** Connections of one address (of one /64, for IPv6); default half of `connectionsMax`. */
  readonly connectionsPerPeerMax?: number;
  /** How long `stop` waits for requests before it ends them; default 5 s. */
  readonly stopMsMax?: number;
  /** Who may call, and TLS. Default: everybody, in the clear; on the loopback only. */
  readonly security?: ListenerSecurity;
}

export interface HttpServer {
  readonly host: string;
  readonly port: number;
  /** Stops accepting, ends streaming calls, lets requests finish, ends what is left after the limit. Idempotent. */
  stop(): Promise<void>;
}

const HEADER_BYTES_MAX = 16 * 1024;
const HEADERS_MAX = 100;
const CONNECTIONS_MAX = 500;
const KEEP_ALIVE_MS = 5000;
const CONNECTION_CHECK_MS = 1000;

export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const { access, tls } = listenerSecurity(options);
  const gate = new RpcGate(access);
  const rpc =
    options.routes === undefined
      ? null
      : createRpcHandler({
          log: options.log,
          hasGrpc: false,
          gate,
          routes: options.routes,
          messageBytesMax: options.messageBytesMax,
          deadlineMsMax: options.deadlineMsMax,
          requestMsMax: options.requestMsMax,
        });
  const life = { isStopping: false };
  const limits = {
    headersTimeout: options.headersMsMax ?? 10_000,
    requestTimeout: options.requestMsMax ?? 30_000,
    keepAliveTimeout: KEEP_ALIVE_MS,
    connectionsCheckingInterval: CONNECTION_CHECK_MS,
    maxHeaderSize: HEADER_BYTES_MAX,
  };
  const onRequest = createRequestHandler(
    options,
    rpc,
    life,
    httpAuthentication(access, options.log),
  );
  const server =
    tls === null
      ? createServer(limits, onRequest)
      : createTlsServer({ ...limits, ...listenerOptions(tls, limits.headersTimeout) }, onRequest);
  const unfollow = tls === null ? () => {} : followIdentity(tls, server as TlsServer);
  const connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX;
  const sockets = openSockets(
    server,
    options.connectionsPerPeerMax ?? Math.ceil(connectionsMax / 2),
  );
  server.maxHeadersCount = HEADERS_MAX;
  server.maxConnections = connectionsMax;
  // Nothing here upgrades, tunnels or sees malformed requests: Node answers those itself and closes.
  await listen(server, options.host, options.port);
  const { address, port } = server.address() as AddressInfo;
  let stopping: Promise<void> | null = null;
  return {
    host: address,
    port,
    stop() {
      life.isStopping = true;
      stopping ??= stopServer(server, rpc, sockets, options.stopMsMax ?? 5000).then(() => {
        gate.close();
        unfollow();
      });
      return stopping;
    },
  };
}

function createRequestHandler(
  options: HttpServerOptions,
  rpc: RpcHandler | null,
  life: { readonly isStopping: boolean },
  authentication: HttpAuthentication,
): (request: IncomingMessage, response: ServerResponse) => void {
  const { log } = options;
  const guard = createHostGuard([options.host, ...(options.hosts ?? [])]);

  function route(request: IncomingMessage, response: ServerResponse): void {
    const refusal = guard(request);
    if (refusal !== null) {
      const { status, code, message } = refusal;
      log.debug("request refused", { status, path: request.url, host: request.headers.host });
      // The body was not read: the connection can't be used again.
      respondJson(response, status, { code, message }, { connection: "close" });
      return;
    }
    const path = request.url?.split("?", 1)[0] ?? "";
    const isRead = request.method === "GET" || request.method === "HEAD";
    if (isRead && path === "/healthz") {
      respondJson(response, 200, { status: "ok" });
    } else if (isRead && path === "/readyz") {
      respondReadiness(
        response,
        life.isStopping ? { ok: false, reason: "stopping" } : options.ready(),
      );
    } else if (isRead && path === "/metrics" && options.metrics !== undefined) {
      serveMetrics(options.metrics, authentication, request, response);
    } else if (request.method === "POST" && rpc?.handle(request, response) === true) {
      return;
    } else if (options.extra?.(request, response, authentication) !== true) {
      const message = `Nothing at ${request.method} ${path}.`;
      respondJson(response, 404, { code: "not_found", message }, { connection: "close" });
    }
  }

  return (request, response) => {
    // A connection that breaks is the client's affair; without listeners the error would end the process.
    request.on("error", () => {});
    response.on("error", () => {});
    if (life.isStopping) response.setHeader("connection", "close");
    try {
      route(request, response);
    } catch (error) {
      log.error("request failed by a bug", { path: request.url, error });
      if (response.headersSent) response.destroy();
      else respondJson(response, 500, { code: "internal", message: "internal error" });
    }
  };
}

/** The numbers tell of mappings, topics and functions: for viewers. */
function serveMetrics(
  metrics: NonNullable<HttpServerOptions["metrics"]>,
  authentication: HttpAuthentication,
  request: IncomingMessage,
  response: ServerResponse,
): void {
  authentication
    .admit(request, "viewer")
    .then(() => metrics(request, response))
    .catch((error: unknown) => {
      if (response.headersSent) response.destroy();
      else respondDenied(response, error);
    });
}

function respondReadiness(response: ServerResponse, { ok, reason }: Readiness): void {
  if (ok) respondJson(response, 200, { status: "ready" });
  else respondJson(response, 503, { status: "not ready", reason: reason ?? "starting" });
}

async function stopServer(
  server: Server,
  rpc: RpcHandler | null,
  sockets: { destroy(): void },
  limitMs: number,
): Promise<void> {
  const closed = new Promise((resolve) => server.close(resolve));
  server.closeIdleConnections();
  rpc?.endStreams();
  const endAll = setTimeout(() => {
    rpc?.endCalls();
    sockets.destroy();
  }, limitMs);
  await closed;
  clearTimeout(endAll);
}
