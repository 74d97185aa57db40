/**
 * RPC calls that arrive as Node requests, over HTTP/1.1 or HTTP/2. What is always true of a call that a service sees:
 *
 * - its caller is known and may call this method ({@link RpcGate});
 * - it has a deadline when it is unary: its own, or the longest that is allowed;
 * - its message is no larger than the limit, came in time, and isn't compressed (so nothing is ever inflated here);
 * - what it throws leaves through the error edge.
 *
 * A streaming call may last for as long as its connection; it ends with UNAVAILABLE when the server stops.
 */

import type { IncomingMessage, ServerResponse } from "node:http";
import {
  constants,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type Http2Session,
} from "node:http2";
import { Code, ConnectError, type ConnectRouter, createConnectRouter } from "@connectrpc/connect";
import {
  universalRequestFromNodeRequest,
  universalResponseToNodeResponse,
} from "@connectrpc/connect-node";
import { OPEN_ACCESS } from "../../auth/access.ts";
import type { Logger } from "../../logs/logger.ts";
import { presentedBy } from "../../tls/presented.ts";
import { toConnectError } from "../error-edge.ts";
import { guardJson } from "../json-guard.ts";
import { callInterceptor } from "./call-interceptor.ts";
import { withoutBody } from "./denied-call.ts";
import { PEER, peerOfRequest, socketOf } from "./peer.ts";
import { RpcGate, type Verdict, valuesOf } from "./rpc-gate.ts";

export const MESSAGE_BYTES_MAX_DEFAULT = 16 * 1024 * 1024;
export const DEADLINE_MS_MAX_DEFAULT = 15 * 60_000;
export const REQUEST_MS_MAX_DEFAULT = 30_000;

/** How long a client may go on sending after it was answered. */
const ANSWERED_MS_MAX = 1000;

export type NodeRequest = IncomingMessage | Http2ServerRequest;
export type NodeResponse = ServerResponse | Http2ServerResponse;

export interface RpcHandlerOptions {
  readonly log: Logger;
  readonly routes: (router: ConnectRouter) => void;
  /** Whether gRPC and gRPC-Web are understood beside Connect. */
  readonly hasGrpc: boolean;
  readonly messageBytesMax?: number | undefined;
  readonly deadlineMsMax?: number | undefined;
  /** How long the message of a call that isn't a client stream may take to arrive. */
  readonly requestMsMax?: number | undefined;
  /** Default: everybody. */
  readonly gate?: RpcGate | undefined;
  /** A call on this HTTP/2 session was let in whose caller had to authenticate. */
  readonly admitted?: (session: Http2Session) => void;
}

export interface RpcHandler {
  /** False when the path is no RPC of this server; nothing was done then. */
  handle(request: NodeRequest, response: NodeResponse): boolean;
  /** Ends streaming calls with UNAVAILABLE; single calls go on. */
  endStreams(): void;
  /** Ends all calls with UNAVAILABLE. */
  endCalls(): void;
}

const FREE: Verdict = { isIn: true, admission: null };

type UniversalHandler = ConnectRouter["handlers"][number];

export function createRpcHandler(options: RpcHandlerOptions): RpcHandler {
  const { log } = options;
  const requestMsMax = options.requestMsMax ?? REQUEST_MS_MAX_DEFAULT;
  const deadlineMsMax = options.deadlineMsMax ?? DEADLINE_MS_MAX_DEFAULT;
  const messageBytesMax = options.messageBytesMax ?? MESSAGE_BYTES_MAX_DEFAULT;
  const gate = options.gate ?? new RpcGate(OPEN_ACCESS);
  const streams = new AbortController();
  const calls = new AbortController();
  const router = createConnectRouter({
    grpc: options.hasGrpc,
    grpcWeb: options.hasGrpc,
    connect: true,
    acceptCompression: [],
    readMaxBytes: messageBytesMax,
    writeMaxBytes: messageBytesMax,
    maxTimeoutMs: deadlineMsMax,
    shutdownSignal: calls.signal,
    interceptors: [callInterceptor(log, gate)],
  });
  options.routes(router);
  const handlers = new Map(router.handlers.map((handler) => [handler.requestPath, handler]));

  async function call(
    handler: UniversalHandler,
    request: NodeRequest,
    response: NodeResponse,
  ): Promise<void> {
    const isStream = handler.method.methodKind.includes("stream");
    const isSingleRequest = !/^(client|bidi)_streaming$/.test(handler.method.methodKind);
    if (isSingleRequest) endSlowRequest(request, response, requestMsMax);
    closeWhenAnswered(response);
    const path = handler.requestPath;
    const { headers } = request;
    const verdict: Verdict = gate.isFree(path)
      ? FREE
      : await gate.judge(path, presentedBy({ headers, socket: socketOf(request) }));
    if (response.destroyed) return;
    if (verdict.isIn && verdict.admission !== null) admitted(request, options);
    const values = valuesOf(verdict).set(PEER, peerOfRequest(request));
    const universal = universalRequestFromNodeRequest(request, response, undefined, values);
    if (!isStream) setDefaultDeadline(universal.header, deadlineMsMax);
    if (!verdict.isIn) {
      await universalResponseToNodeResponse(await handler(withoutBody(universal)), response);
      return;
    }
    const body = guardJson(
      universal.header.get("content-type") ?? "",
      universal.body as AsyncIterable<Uint8Array>,
    );
    if (!isStream) {
      await universalResponseToNodeResponse(await handler({ ...universal, body }), response);
      return;
    }
    const withdrawn = new AbortController();
    const { admission } = verdict;
    const unwatch =
      admission === null
        ? null
        : gate.watch(path, admission, (reason) => withdrawn.abort(toConnectError(reason).error));
    try {
      const signal = AbortSignal.any([universal.signal, streams.signal, withdrawn.signal]);
      await universalResponseToNodeResponse(
        await handler({ ...universal, body, signal }),
        response,
      );
    } finally {
      unwatch?.();
    }
  }

  return {
    handle(request, response) {
      const handler = handlers.get(request.url?.split("?", 1)[0] ?? "");
      if (handler === undefined) return false;
      call(handler, request, response).catch((error: unknown) => {
        // The connection broke while the answer was written: the caller is gone.
        log.debug("call not answered", { method: handler.requestPath, error });
        response.destroy();
      });
      return true;
    },
    endStreams: () => streams.abort(stopped()),
    endCalls: () => calls.abort(stopped()),
  };
}

function admitted(request: NodeRequest, options: RpcHandlerOptions): void {
  const session = "stream" in request ? request.stream.session : undefined;
  if (session !== undefined) options.admitted?.(session);
}

/**
 * An HTTP/2 stream stays open, and its session with it, for as long as the client may still send. After the answer nobody
 * listens any more, so the stream is closed, without an error; not at once, because clients built on Node then lose the
 * answer's end.
 */
function closeWhenAnswered(response: NodeResponse): void {
  if (!("stream" in response)) return;
  const { stream } = response;
  stream.once("finish", () => {
    if (stream.readableEnded) return;
    const timer = setTimeout(() => stream.close(constants.NGHTTP2_NO_ERROR), ANSWERED_MS_MAX);
    timer.unref();
    stream.once("close", () => clearTimeout(timer));
  });
}

function stopped(): ConnectError {
  return new ConnectError("the server is stopping", Code.Unavailable);
}

/** Gives a call that names no deadline the longest one, in the header of its protocol. */
function setDefaultDeadline(header: Headers, deadlineMsMax: number): void {
  const isGrpc = header.get("content-type")?.startsWith("application/grpc") === true;
  const name = isGrpc ? "grpc-timeout" : "connect-timeout-ms";
  if (header.has(name)) return;
  header.set(name, isGrpc ? `${deadlineMsMax}m` : `${deadlineMsMax}`);
}

/** Ends a request whose body doesn't arrive in time, drop by drop or not at all. */
function endSlowRequest(request: NodeRequest, response: NodeResponse, limitMs: number): void {
  const timer = setTimeout(() => {
    if (request.readableEnded || request.complete) return;
    if ("stream" in response) response.stream.close(constants.NGHTTP2_CANCEL);
    else request.destroy();
  }, limitMs);
  timer.unref();
  response.once("close", () => clearTimeout(timer));
}
