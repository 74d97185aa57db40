import type { IncomingMessage } from "node:http";
import type { Http2ServerRequest } from "node:http2";
import { isIP, type Socket } from "node:net";
import { TLSSocket } from "node:tls";
import { createContextKey, type HandlerContext } from "@connectrpc/connect";

/** The other end of the connection that a call came on. */
export interface Peer {
  /** IP address; null: the connection is gone, or nobody knows. */
  readonly address: string | null;
  /** One object for all calls of a connection; null when there is none. */
  readonly connection: object | null;
  /** Whether a client certificate that is trusted names this host or address. */
  isCertifiedFor(host: string): boolean;
}

const NOBODY: Peer = { address: null, connection: null, isCertifiedFor: () => false };

/** Set by the RPC server, for handlers. */
export const PEER = createContextKey<Peer>(NOBODY, { description: "peer" });

export function peerOf(context: Pick<HandlerContext, "values">): Peer {
  return context.values.get(PEER);
}

/** @throws when the connection of an HTTP/2 request is gone */
export function peerOfRequest(request: IncomingMessage | Http2ServerRequest): Peer {
  const socket = socketOf(request);
  if (socket === undefined) return NOBODY;
  return {
    address: socket.remoteAddress ?? null,
    connection: "stream" in request ? (request.stream.session ?? null) : socket,
    isCertifiedFor: (host) => isCertifiedFor(socket, host),
  };
}

/** The same for all requests of a connection. @throws when the connection of an HTTP/2 request is gone */
export function socketOf(
  request: IncomingMessage | Http2ServerRequest,
): Socket | TLSSocket | undefined {
  return "stream" in request ? request.stream.session?.socket : request.socket;
}

function isCertifiedFor(socket: Socket, host: string): boolean {
  if (!(socket instanceof TLSSocket) || !socket.authorized) return false;
  const certificate = socket.getPeerX509Certificate();
  if (certificate === undefined) return false;
  const name =
    isIP(host) === 0
      ? certificate.checkHost(host, { subject: "never" })
      : certificate.checkIP(host);
  return name !== undefined;
}
