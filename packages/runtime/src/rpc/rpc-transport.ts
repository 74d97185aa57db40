/**
 * The client side between Penstock's services: gRPC over one cleartext HTTP/2 connection, opened when needed and again after it broke.
 *
 * What is always true: a connection attempt ends within seconds, a peer that doesn't answer pings counts as gone, a single call has a
 * deadline, and messages are bounded.
 */
import type { ClientHttp2Session, ClientHttp2Stream } from "node:http2";
import { connect as connectSocket, type Socket } from "node:net";
import type { Transport } from "@connectrpc/connect";
import { createGrpcTransport, Http2SessionManager } from "@connectrpc/connect-node";
import { PenstockError } from "@penstock/core";
import { parseAddress } from "../settings/network-address.ts";
import { MESSAGE_BYTES_MAX_DEFAULT } from "./rpc-handler.ts";
import { WINDOW_BYTES } from "./rpc-sessions.ts";

export interface RpcTransportOptions {
  /** `host:port`. */
  readonly address: string;
  /** Default 16 MiB. */
  readonly messageBytesMax?: number;
  /** Of single calls that name none; default 15 s. Streams have none. */
  readonly deadlineMs?: number;
  /** Default 5 s. */
  readonly connectMsMax?: number;
  /** Between pings while calls are open; an answer may take as long. Default 5 s. */
  readonly pingIntervalMs?: number;
}

const IDLE_MS_MAX = 60_000;

export interface RpcTransport extends Transport {
  /** Ends the connection and its calls. A later call opens a new one. */
  close(): void;
}

export function createRpcTransport(options: RpcTransportOptions): RpcTransport {
  const target = parseAddress(options.address);
  if (target === null) {
    throw new PenstockError("invalidArgument", `${options.address} must be host:port.`);
  }
  const pingIntervalMs = options.pingIntervalMs ?? 5000;
  const connectMsMax = options.connectMsMax ?? 5000;
  const messageBytesMax = options.messageBytesMax ?? MESSAGE_BYTES_MAX_DEFAULT;
  const baseUrl = `http://${options.address}`;
  const sessionManager = new WideSessionManager(
    baseUrl,
    // No pings on an idle connection: the library would go on pinging one that was closed, and throw from its timer. An idle
    // connection is instead verified by a ping before it is used again.
    { pingIntervalMs, pingTimeoutMs: pingIntervalMs, idleConnectionTimeoutMs: IDLE_MS_MAX },
    {
      settings: { initialWindowSize: WINDOW_BYTES, enablePush: false },
      createConnection: () => dial(target.host, target.port, connectMsMax),
    },
  );
  const transport = createGrpcTransport({
    baseUrl,
    sessionManager,
    acceptCompression: [],
    readMaxBytes: messageBytesMax,
    writeMaxBytes: messageBytesMax,
  });
  const deadlineMs = options.deadlineMs ?? 15_000;
  return {
    unary: (method, signal, timeoutMs, ...rest) =>
      transport.unary(method, signal, timeoutMs ?? deadlineMs, ...rest),
    stream: (...call) => transport.stream(...call),
    close: () => sessionManager.abort(),
  };
}

/**
 * Opens the connection's receive window too; the settings only open that of each stream. And a ping of a destroyed session is no ping: the
 * library's timer may outlive its session (when the last stream closes after it), and the error that Node throws there would end the process.
 */
class WideSessionManager extends Http2SessionManager {
  readonly #widened = new WeakSet<ClientHttp2Session>();

  override async request(
    ...call: Parameters<Http2SessionManager["request"]>
  ): Promise<ClientHttp2Stream> {
    const stream = await super.request(...call);
    const session = stream.session as ClientHttp2Session | undefined;
    if (session !== undefined && !this.#widened.has(session)) {
      this.#widened.add(session);
      session.setLocalWindowSize(WINDOW_BYTES);
      const ping = session.ping.bind(session) as (...call: unknown[]) => boolean;
      session.ping = (...call: unknown[]) => !session.destroyed && ping(...call);
    }
    return stream;
  }
}

function dial(host: string, port: number, limitMs: number): Socket {
  const socket = connectSocket({ host, port, noDelay: true });
  const timer = setTimeout(() => {
    const error: NodeJS.ErrnoException = new Error(`connect timed out after ${limitMs} ms`);
    error.code = "ETIMEDOUT";
    socket.destroy(error);
  }, limitMs);
  socket.once("connect", () => clearTimeout(timer));
  socket.once("close", () => clearTimeout(timer));
  return socket;
}
