import { constants, type IncomingHttpHeaders, type ServerHttp2Stream } from "node:http2";
import type { PenstockError } from "@penstock/core";
import { presentedBy } from "../tls/presented.ts";
import type { RpcGate } from "./rpc-gate.ts";
import type { RawStreamHandler } from "./rpc-server.ts";

/** How long the calls of a stream may take to finish after its credential was taken back, or has expired. */
const WITHDRAWN_MS_MAX = 60_000;

/** The gate before a bare stream: asked once, however long the stream lives. */
export function serveRawStream(
  gate: RpcGate,
  handler: RawStreamHandler,
  stream: ServerHttp2Stream,
  headers: IncomingHttpHeaders,
): void {
  const path = headers[":path"] ?? "";
  // A stream that fails without a listener would end the process.
  stream.on("error", () => {});
  if (gate.isFree(path)) {
    handler(stream, headers);
    return;
  }
  const socket = stream.session?.socket;
  void gate.judge(path, presentedBy({ headers, socket })).then((verdict) => {
    if (stream.destroyed || stream.closed) return;
    if (!verdict.isIn) {
      refuse(stream, verdict.error);
      return;
    }
    if (verdict.admission !== null) {
      const unwatch = gate.watch(path, verdict.admission, () => withdraw(stream));
      stream.once("close", unwatch);
    }
    handler(stream, headers);
  });
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
      "grpc-message": encodeURIComponent(error.message),
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
