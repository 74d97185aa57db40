/**
 * A gRPC port: gRPC, gRPC-Web and Connect over HTTP/2, in the clear or over TLS, with health and reflection.
 *
 *     connection ─▶ session ─▶ stream ─┬─ gate ─▶ rawStreams[path]    the hot path, frames by hand
 *                                      ├─ gate ─▶ connect: the service's RPCs, health, reflection
 *                                      └─ unknown path: UNIMPLEMENTED
 *
 * Every limit is set: message size, deadline, streams and header bytes of a session, resets and malformed frames, slow peers,
 * connections (S-19, S-20).
 */
import {
  createSecureServer,
  createServer,
  type Http2Server,
  Http2ServerRequest,
  Http2ServerResponse,
  type IncomingHttpHeaders,
  type ServerHttp2Session,
  type ServerHttp2Stream,
  type ServerOptions,
} from "node:http2";
import type { AddressInfo } from "node:net";
import type { Server as TlsServer } from "node:tls";
import type { DescFile, DescService } from "@bufbuild/protobuf";
import type { ConnectRouter } from "@connectrpc/connect";
import { listenerSecurity } from "../../auth/listener-security.ts";
import type { ListenerSecurity } from "../../auth/open-security.ts";
import type { Logger } from "../../logs/logger.ts";
import { listen } from "../../service/listen.ts";
import { followIdentity, type ListenerTls, listenerOptions } from "../../tls/listener-tls.ts";
import { openSockets } from "../../tls/open-sockets.ts";
import { file_google_rpc_error_details } from "../generated/google/rpc/error_details_pb.ts";
import { Health } from "../generated/grpc/health/v1/health_pb.ts";
import { ServerReflection as ReflectionV1 } from "../generated/grpc/reflection/v1/reflection_pb.ts";
import { ServerReflection as ReflectionV1Alpha } from "../generated/grpc/reflection/v1alpha/reflection_pb.ts";
import { serveRawStream } from "../raw-stream.ts";
import { createHealth, type HealthWatchersMax } from "./health.ts";
import { createReflection } from "./reflection.ts";
import { RpcGate } from "./rpc-gate.ts";
import { createRpcHandler, type RpcHandler } from "./rpc-handler.ts";
import { RpcSessions, WINDOW_BYTES } from "./rpc-sessions.ts";

/**
 * Serves one path with the bare stream, once its caller was let in. Nothing of the RPC library is involved: framing, status and errors are
 * the handler's. No byte was read from the stream, and it has a listener for errors.
 */
export type RawStreamHandler = (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => void;

export interface RpcServerOptions {
  readonly host: string;
  /** 0 = any free port. */
  readonly port: number;
  readonly log: Logger;
  readonly routes: (router: ConnectRouter) => void;
  /** The services behind `routes` and `rawStreams`: what health and reflection tell of. */
  readonly services: readonly DescService[];
  /** More files for reflection. */
  readonly files?: readonly DescFile[];
  /** By path, `/package.Service/Method`. */
  readonly rawStreams?: Readonly<Record<string, RawStreamHandler>>;
  /** Default 16 MiB. */
  readonly messageBytesMax?: number;
  /** Default 15 min. */
  readonly deadlineMsMax?: number;
  /** How long the message of a single call may take to arrive; default 30 s. */
  readonly requestMsMax?: number;
  /** Streams of one connection; default 1000. */
  readonly streamsMax?: number;
  /** Default 1000. */
  readonly connectionsMax?: number;
  /** Connections of one address (of one /64, for IPv6); default half of `connectionsMax`. */
  readonly connectionsPerPeerMax?: number;
  /** How long a connection may have no admitted call where callers must authenticate; default 15 s. */
  readonly anonymousMsMax?: number;
  /** Open `Health.Watch` calls of one connection, default 16, and in all, default 1000. */
  readonly healthWatchers?: HealthWatchersMax;
  /** Default 10 s. */
  readonly prefaceMsMax?: number;
  /** Default 20 s. */
  readonly pingIntervalMs?: number;
  /** How long `stop` waits for calls before it ends them; default 5 s. */
  readonly stopMsMax?: number;
  /** Who may call, and TLS. Default: everybody, in the clear; on the loopback only. */
  readonly security?: ListenerSecurity;
  /** Between looks at the credentials of open streams; default 30 s. */
  readonly recheckMs?: number;
}

export interface RpcServer {
  readonly host: string;
  readonly port: number;
  /** What health checks say; true from the start. */
  setHealth(isServing: boolean): void;
  /**
   * Stops accepting, ends streaming calls with UNAVAILABLE, lets single calls and raw streams finish, ends what is left after the
   * limit. Idempotent. No socket or timer is left.
   */
  stop(): Promise<void>;
}

/** A batch of the invoke stream fits into few DATA frames; the default of 16 KiB cuts it into many. */
const FRAME_BYTES_MAX = 256 * 1024;
const HEADER_BYTES_MAX = 16 * 1024;
const HEADER_PAIRS_MAX = 100;
const SESSION_MEMORY_MB_MAX = 64;
/** Streams that a peer may reset in a burst, and from then on in a second (CVE-2023-44487). */
const RESET_BURST = 1000;
const RESETS_PER_SECOND = 100;
const CONNECTIONS_MAX = 1000;
const ANONYMOUS_MS_MAX = 15_000;
/** Of its connections, with how many a listener is crowded. */
const CROWD_SHARE = 0.75;
const DESTROY_GRACE_MS = 500;

export async function startRpcServer(options: RpcServerOptions): Promise<RpcServer> {
  const { access, tls } = listenerSecurity(options);
  const gate = new RpcGate(access, options.recheckMs);
  const health = createHealth(
    options.services.map(({ typeName }) => typeName),
    options.healthWatchers,
  );
  const connectionsMax = options.connectionsMax ?? CONNECTIONS_MAX;
  const prefaceMsMax = options.prefaceMsMax ?? 10_000;
  const sessions = new RpcSessions({
    prefaceMsMax,
    pingIntervalMs: options.pingIntervalMs ?? 20_000,
    anonymousMsMax: access.isOpen ? null : (options.anonymousMsMax ?? ANONYMOUS_MS_MAX),
    crowd: connectionsMax * CROWD_SHARE,
  });
  const handler = createRpcHandler({
    log: options.log,
    hasGrpc: true,
    gate,
    admitted: (session) => sessions.admitted(session),
    messageBytesMax: options.messageBytesMax,
    deadlineMsMax: options.deadlineMsMax,
    requestMsMax: options.requestMsMax,
    routes: (router) => addRoutes(router, options, health.service),
  });
  const limits = {
    settings: {
      initialWindowSize: WINDOW_BYTES,
      maxFrameSize: FRAME_BYTES_MAX,
      maxConcurrentStreams: options.streamsMax ?? 1000,
      maxHeaderListSize: HEADER_BYTES_MAX,
      enablePush: false,
    },
    maxSessionMemory: SESSION_MEMORY_MB_MAX,
    maxHeaderListPairs: HEADER_PAIRS_MAX,
    streamResetBurst: RESET_BURST,
    streamResetRate: RESETS_PER_SECOND,
  };
  const server = createListener(limits, tls, prefaceMsMax);
  const unfollow = tls === null ? () => {} : followIdentity(tls, server as unknown as TlsServer);
  const perPeerMax = options.connectionsPerPeerMax ?? Math.ceil(connectionsMax / 2);
  const sockets = openSockets(server, perPeerMax);
  server.maxConnections = connectionsMax;
  let isStopping = false;
  server.on("session", (session: ServerHttp2Session) => {
    if (isStopping) session.destroy();
    else sessions.add(session);
  });
  // Errors of one connection never concern the others.
  server.on("sessionError", (error) => options.log.debug("connection failed", { error }));
  const rawStreams = new Map(Object.entries(options.rawStreams ?? {}));
  server.on("stream", (stream, headers, _flags, rawHeaders: string[]) => {
    // A stream that fails without a listener would end the process; the call sees the abort.
    stream.on("error", () => {});
    // Reset in the same packet: nothing can be answered.
    if (stream.destroyed || stream.closed) return;
    const raw = rawStreams.get(headers[":path"] ?? "");
    if (raw === undefined) serveCall(handler, stream, headers, rawHeaders);
    else serveRawStream({ gate, sessions, log: options.log }, raw, stream, headers);
  });
  await listen(server, options.host, options.port);
  const { address, port } = server.address() as AddressInfo;

  let stopping: Promise<void> | null = null;
  async function stop(): Promise<void> {
    isStopping = true;
    health.set(false);
    const closed = new Promise((resolve) => server.close(resolve));
    sessions.close();
    handler.endStreams();
    const limitMs = options.stopMsMax ?? 5000;
    const endCalls = setTimeout(() => handler.endCalls(), limitMs);
    const destroy = setTimeout(() => {
      sessions.destroy();
      sockets.destroy();
    }, limitMs + DESTROY_GRACE_MS);
    await closed;
    gate.close();
    unfollow();
    clearTimeout(endCalls);
    clearTimeout(destroy);
  }
  return {
    host: address,
    port,
    setHealth: (isServing) => health.set(isServing),
    stop: () => (stopping ??= stop()),
  };
}

/** Both kinds emit the same events, of which the types say so for one only. */
function createListener(
  limits: ServerOptions,
  tls: ListenerTls | null,
  handshakeMsMax: number,
): Http2Server {
  if (tls === null) return createServer(limits);
  const secure = { ...limits, ...listenerOptions(tls, handshakeMsMax), ALPNProtocols: ["h2"] };
  return createSecureServer(secure) as unknown as Http2Server;
}

function addRoutes(
  router: ConnectRouter,
  options: RpcServerOptions,
  health: ReturnType<typeof createHealth>["service"],
): void {
  const known = [...options.services, Health, ReflectionV1, ReflectionV1Alpha];
  // The error details too: they travel as Any, which tools can only show when they find the type.
  const files = [file_google_rpc_error_details, ...(options.files ?? [])];
  const reflection = createReflection(known, files);
  options.routes(router);
  router.service(Health, health);
  router.service(ReflectionV1, reflection);
  router.service(ReflectionV1Alpha, reflection as never);
}

function serveCall(
  handler: RpcHandler,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
  rawHeaders: string[],
): void {
  const request = new Http2ServerRequest(stream, headers, {}, rawHeaders);
  const response = new Http2ServerResponse(stream);
  if (handler.handle(request, response)) return;
  const isGrpc = headers["content-type"]?.startsWith("application/grpc") === true;
  if (isGrpc) {
    // Trailers only, as the gRPC protocol wants it for an unknown method.
    stream.respond(
      {
        ":status": 200,
        "content-type": "application/grpc",
        "grpc-status": "12",
        "grpc-message": "unknown method",
      },
      { endStream: true },
    );
  } else {
    stream.respond({ ":status": 404 }, { endStream: true });
  }
}
