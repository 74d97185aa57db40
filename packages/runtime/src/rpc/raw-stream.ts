import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { PenstockError } from "@penstock/core";
import type { Logger } from "../logs/logger.ts";
import { presentedBy } from "../tls/presented.ts";
import type { RpcGate } from "./server/rpc-gate.ts";
import type { RawStreamHandler } from "./server/rpc-server.ts";
import type { RpcSessions } from "./server/rpc-sessions.ts";

/** How long the calls of a stream may take to finish after its credential was taken back, or has expired. */
const WITHDRAWN_MS_MAX = 60_000;

export interface RawStreamParts {
  readonly gate: RpcGate;
  readonly sessions: RpcSessions;
  readonly log: Logger;
}

/**
 * The gate before a bare stream: asked once, however long the stream lives. What fails here ends the stream alone: it is what a peer sent, or
 * when it left.
 */
export function serveRawStream(
  parts: RawStreamParts,
  handler: RawStreamHandler,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): void {
  admit(parts, handler, stream, headers).catch((error: unknown) => {
    parts.log.error("stream failed by a bug", { method: headers[":path"], error });
    stream.close(constants.NGHTTP2_INTERNAL_ERROR);
  });
}

async function admit(
  { gate, sessions }: RawStreamParts,
  handler: RawStreamHandler,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): Promise<void> {
  const path = headers[":path"] ?? "";
  if (gate.isFree(path)) {
    handler(stream, headers);
    return;
  }
  const { session } = stream;
  const verdict = await gate.judge(path, presentedBy({ headers, socket: session?.socket }));
  if (stream.destroyed || stream.closed) return;
  if (!verdict.isIn) {
    refuse(stream, verdict.error);
    return;
  }
  if (session !== undefined) sessions.admitted(session);
  if (verdict.admission !== null) {
    const unwatch = gate.watch(path, verdict.admission, () => withdraw(stream));
    stream.once("close", unwatch);
  }
  handler(stream, headers);
}

/** gRPC's numbers of what a gate says. */
const STATUS: Readonly<Record<string, string>> = {
  unauthenticated: "16",
  permissionDenied: "7",
  unavailable: "14",
};

/** Trailers only, as gRPC wants an error without an answer. */
function refuse(stream: ServerHttp2Stream, error: PenstockError): void {
  stream.respond(
    {
      ":status": 200,
      "content-type": "application/grpc",
      "grpc-status": STATUS[error.code] ?? "13",
      "grpc-message": encodeURIComponent(error.message.toWellFormed()),
    },
    { endStream: true },
  );
  // Nobody reads what comes; the answer has to leave first.
  stream.once("finish", () => stream.close(constants.NGHTTP2_NO_ERROR));
}

/** GOAWAY first, so that a client with a newer credential moves over without losing a call. */
function withdraw(stream: ServerHttp2Stream): void {
  const { session } = stream;
  session?.close();
  const timer = setTimeout(() => session?.destroy(), WITHDRAWN_MS_MAX);
  timer.unref();
  stream.once("close", () => clearTimeout(timer));
}
