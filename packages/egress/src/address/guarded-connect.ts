import { isIP, type Socket } from "node:net";
import { buildConnector } from "undici";
import type { AddressGuard } from "./address-guard.ts";

/**
 * Opens TCP and TLS connections to guarded addresses: the address that was checked is the one that is dialled, and the
 * peer of the open connection is checked once more. TLS is always verified, 1.2 or newer.
 */
export interface ConnectTarget {
  readonly protocol: "http:" | "https:";
  /** Name or address, IPv6 without brackets. */
  readonly hostname: string;
  readonly port: number;
  /** Name to verify; the host when absent. */
  readonly servername?: string | null;
}

export type GuardedConnect = (
  target: ConnectTarget,
  callback: (error: Error | null, socket: Socket | null) => void,
) => void;

/** `alpn` h2 for gRPC, else HTTP/1.1 alone. */
export function createGuardedConnect(
  guard: AddressGuard,
  options: {
    readonly connectTimeoutMs: number;
    readonly alpn: "h2" | "http/1.1";
    /** Roots in PEM to verify with, instead of the system's. */
    readonly ca?: string | null;
  },
): GuardedConnect {
  const connectorOf = (port: number) => {
    const settings = {
      allowH2: options.alpn === "h2",
      preferH2: options.alpn === "h2",
      timeout: options.connectTimeoutMs,
      lookup: guard.lookupFor(port),
      autoSelectFamily: true,
      rejectUnauthorized: true,
      minVersion: "TLSv1.2" as const,
      ...(typeof options.ca === "string" && { ca: options.ca }),
    };
    return buildConnector(settings);
  };
  // One connector for each port: it holds the TLS session cache, and the look-up must know the port.
  const connectors = new Map<number, ReturnType<typeof connectorOf>>();
  return (target, callback) => {
    const { hostname, port } = target;
    const refusal = isIP(hostname) === 0 ? null : errorOf(() => guard.check(hostname, port));
    if (refusal !== null) {
      // The caller is still setting up: never answer it in its own call.
      process.nextTick(callback, refusal, null);
      return;
    }
    let connector = connectors.get(port);
    if (connector === undefined) {
      if (connectors.size >= CONNECTORS_MAX) connectors.clear();
      connector = connectorOf(port);
      connectors.set(port, connector);
    }
    connector(
      {
        hostname,
        host: hostname,
        protocol: target.protocol,
        port: String(port),
        servername: target.servername ?? (isIP(hostname) === 0 ? hostname : ""),
      },
      (...[error, socket]) => {
        if (error !== null || socket === null) {
          callback(error ?? new Error("no connection"), null);
          return;
        }
        const peer = socket.remoteAddress;
        const late =
          peer === undefined
            ? new Error("the connection was closed at once")
            : errorOf(() => guard.check(peer, port, isIP(hostname) === 0 ? hostname : null));
        if (late === null) {
          callback(null, socket);
        } else {
          socket.destroy();
          callback(late, null);
        }
      },
    );
  };
}

const CONNECTORS_MAX = 4096;

function errorOf(run: () => void): Error | null {
  try {
    run();
    return null;
  } catch (error) {
    if (error instanceof Error) return error;
    throw error;
  }
}
