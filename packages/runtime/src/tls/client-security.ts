import { connect, isIP, type Socket } from "node:net";
import { type ConnectionOptions, connect as connectTls, type TLSSocket } from "node:tls";
import { BytePipe } from "./byte-pipe.ts";

/** How a process connects to the others of its Penstock. Both are asked for at each connection and call: files change. */
export interface ClientSecurity {
  /** Null: in the clear. */
  readonly tls: (() => ClientTls) | null;
  /** The value of the Authorization header, or null. */
  readonly authorization: () => string | null;
}

/** PEM texts. */
export interface ClientTls {
  /** Who signs the certificates of the others; null: the roots that Node knows. */
  readonly ca: string | null;
  /** Shown to a listener that asks for one. */
  readonly certificate: string | null;
  readonly key: string | null;
}

export const PLAIN_CLIENT: ClientSecurity = { tls: null, authorization: () => null };

export interface Target {
  readonly host: string;
  readonly port: number;
}

/**
 * Opens a socket for HTTP/2. Over TLS the name is verified, always, and the other side must speak `h2`.
 *
 * @param ready called once the socket can be used: connected, and over TLS verified
 */
export function openSocket(
  target: Target,
  tls: ClientTls | null,
  ready: () => void = () => {},
): Socket {
  if (tls !== null) return verified(connectTls({ ...target, ...tlsOptions(target, tls) }), ready);
  const socket = connect({ ...target, noDelay: true });
  socket.once("connect", ready);
  return socket;
}

/** A socket that can be ended by a reset, so that nothing of what has not left yet arrives later. */
export interface ResettableSocket {
  readonly socket: Socket;
  reset(): void;
}

/** As {@link openSocket}. */
export function openResettableSocket(target: Target, tls: ClientTls | null): ResettableSocket {
  const transport = connect({ ...target, noDelay: true });
  if (tls === null) return { socket: transport, reset: () => void transport.resetAndDestroy() };
  const pipe = new BytePipe(transport);
  const socket = verified(connectTls({ ...tlsOptions(target, tls), socket: pipe }), () => {});
  return {
    socket,
    reset() {
      transport.resetAndDestroy();
      socket.destroy();
    },
  };
}

/** `http` or `https`, as the sockets are. */
export function schemeOf({ tls }: ClientSecurity): "http" | "https" {
  return tls === null ? "http" : "https";
}

function verified(socket: TLSSocket, ready: () => void): TLSSocket {
  socket.setNoDelay(true);
  socket.once("secureConnect", () => {
    if (socket.alpnProtocol === "h2") ready();
    else socket.destroy(new Error("the other side does not speak HTTP/2 over TLS"));
  });
  return socket;
}

function tlsOptions({ host }: Target, { ca, certificate, key }: ClientTls): ConnectionOptions {
  return {
    host,
    minVersion: "TLSv1.2",
    ALPNProtocols: ["h2"],
    rejectUnauthorized: true,
    // A server name is a name: an address is verified without one.
    ...(isIP(host) === 0 && { servername: host }),
    ...(ca !== null && { ca }),
    ...(certificate !== null && key !== null && { cert: certificate, key }),
  };
}
