/**
 * Opens one connection to one broker: address guard, connect, TLS and SASL when configured, frame guard, API versions.
 *
 * The address that the guard returns is the one that is dialled, so a name can't resolve to something else in between (S-07).
 */
import { InvariantError } from "@penstock/core";
import { apiVersionsV3, Connection, type ConnectionOptions } from "@platformatic/kafka";
import type { ServerAddress } from "./bootstrap-server.ts";
import { FrameGuard } from "./frame-guard.ts";
import { toKafkaError } from "./kafka-error.ts";
import { request } from "./request.ts";

/** Resolves and judges an address; rejects with PenstockError(addressDenied). */
export type AddressGuard = (
  host: string,
  port: number,
) => Promise<{ readonly address: string; readonly family: number }>;

export interface DialOptions {
  readonly clientId: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Largest response frame. */
  readonly frameBytesMax: number;
  /** Most requests on their way at once; more wait here. */
  readonly inflightMax: number;
  readonly addressGuard?: AddressGuard | undefined;
  readonly tls?: ConnectionOptions["tls"] | undefined;
  readonly sasl?: ConnectionOptions["sasl"] | undefined;
}

export interface ApiRange {
  readonly min: number;
  readonly max: number;
}

export interface Dialled {
  readonly connection: Connection;
  readonly versions: ReadonlyMap<number, ApiRange>;
}

const KEEP_ALIVE_MS = 15_000;

export async function dial(server: ServerAddress, options: DialOptions): Promise<Dialled> {
  const subject = `${server.host}:${server.port}`;
  let connection: Connection | undefined;
  try {
    const { addressGuard, tls, sasl } = options;
    const host = addressGuard
      ? (await addressGuard(server.host, server.port)).address
      : server.host;
    connection = new Connection(options.clientId, {
      connectTimeout: options.connectTimeoutMs,
      requestTimeout: options.requestTimeoutMs,
      maxInflights: options.inflightMax,
      ...(tls ? { tls: { ...tls, servername: server.host } } : {}),
      ...(sasl ? { sasl } : {}),
    });
    // An EventEmitter without a listener for "error" throws. Requests and the close event tell the same story.
    connection.on("error", () => {});
    const connected = connection.connect(host, server.port);
    guardFrames(connection, new FrameGuard(options.frameBytesMax), tls !== undefined);
    await connected;
    connection.socket.setKeepAlive(true, KEEP_ALIVE_MS);
    const response = await request(connection, apiVersionsV3.api, "penstock", "0");
    const versions = new Map<number, ApiRange>();
    for (const api of response.apiKeys)
      versions.set(api.apiKey, { min: api.minVersion, max: api.maxVersion });
    return { connection, versions };
  } catch (error) {
    if (connection) hangUp(connection);
    throw toKafkaError(error, subject);
  }
}

/** Ends a connection without waiting for anything. Requests on it fail. */
export function hangUp(connection: Connection): void {
  connection.socket?.destroy();
}

/** Puts the frame guard in front of the library's own reader. */
function guardFrames(connection: Connection, guard: FrameGuard, isTls: boolean): void {
  const { socket } = connection;
  // Registered after the library's listener for the same event, which is where it starts to read.
  socket.once(isTls ? "secureConnect" : "connect", () => {
    const readers = socket.listeners("data") as ((chunk: Buffer) => void)[];
    socket.removeAllListeners("data");
    socket.on("data", (chunk: Buffer) => {
      if (socket.destroyed) return;
      if (!guard.accept(chunk)) {
        socket.destroy(new Error("response frame with a length outside the limits"));
        return;
      }
      try {
        for (const read of readers) read(chunk);
      } catch (error) {
        if (error instanceof InvariantError) throw error;
        socket.destroy(error instanceof Error ? error : new Error("response reader failed"));
      }
    });
  });
}
