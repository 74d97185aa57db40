/**
 * The client side between Penstock's services: gRPC over one HTTP/2 connection, in the clear or over TLS, opened when needed and again after it broke.
 *
 * What is always true: a connection attempt ends within seconds, a peer that doesn't answer pings counts as gone, a single call has a
 * deadline, and messages are bounded.
 */
import type { Interceptor, Transport } from "@connectrpc/connect";
import { createGrpcTransport } from "@connectrpc/connect-node";
import { PenstockError } from "@penstock/core";
import { parseAddress } from "../../settings/kinds/network-address.ts";
import { type ClientSecurity, PLAIN_CLIENT, schemeOf } from "../../tls/client-security.ts";
import { MESSAGE_BYTES_MAX_DEFAULT } from "../server/rpc-handler.ts";
import { RpcConnection } from "./rpc-connection.ts";

export interface RpcTransportOptions {
  /** `host:port`. */
  readonly address: string;
  /** Default 16 MiB. */
  readonly messageBytesMax?: number;
  /** Of single calls that name none; default 15 s. Streams have none. */
  readonly deadlineMs?: number;
  /** Default 5 s. */
  readonly connectMsMax?: number;
  /** Between pings; an answer may take as long. Default 5 s. */
  readonly pingIntervalMs?: number;
  /** TLS, and the credentials of each call. Default: neither. */
  readonly security?: ClientSecurity | undefined;
}

export interface RpcTransport extends Transport {
  /** Ends the connection and its calls. A later call opens a new one. */
  close(): void;
}

export function createRpcTransport(options: RpcTransportOptions): RpcTransport {
  const target = parseAddress(options.address);
  if (target === null) {
    throw new PenstockError("invalidArgument", `${options.address} must be host:port.`);
  }
  const messageBytesMax = options.messageBytesMax ?? MESSAGE_BYTES_MAX_DEFAULT;
  const security = options.security ?? PLAIN_CLIENT;
  const baseUrl = `${schemeOf(security)}://${options.address}`;
  const connection = new RpcConnection({
    ...target,
    origin: baseUrl,
    tls: security.tls,
    connectMsMax: options.connectMsMax ?? 5000,
    pingIntervalMs: options.pingIntervalMs ?? 5000,
  });
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager: connection,
    interceptors: [authorize(security)],
    acceptCompression: [],
    readMaxBytes: messageBytesMax,
    writeMaxBytes: messageBytesMax,
  });
  const deadlineMs = options.deadlineMs ?? 15_000;
  return {
    unary: (method, signal, timeoutMs, ...rest) =>
      transport.unary(method, signal, timeoutMs ?? deadlineMs, ...rest),
    stream: (...call) => transport.stream(...call),
    close: () => connection.close(),
  };
}

/** The token as it is at the time of the call. */
function authorize({ authorization }: ClientSecurity): Interceptor {
  return (next) => (request) => {
    const value = authorization();
    if (value !== null) request.header.set("authorization", value);
    return next(request);
  };
}
