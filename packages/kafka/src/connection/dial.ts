/**
 * Opens one connection to one broker:
 *
 *   address guard ─▶ credentials ─▶ connect, TLS ─▶ frame guard, API versions ─▶ SASL
 *
 * Credentials are asked for before each connection, so that a rotated secret is used without a restart. What is wrong with the brokers' side of security is
 * told to who gave them, and paused for (`RefusalPause`).
 *
 * The address that the guard returns is the one that is dialled, so a name can't resolve to something else in between (S-07).
 */
import {
  InvariantError,
  invariant,
  PenstockError,
  type SourceCredentials,
  type SourceSecurity,
} from "@penstock/core";
import { type Connection, TimeoutError } from "@platformatic/kafka";
import type { ServerAddress } from "../cluster/bootstrap-server.ts";
import { toKafkaError } from "../cluster/kafka-error.ts";
import { mostTelling } from "../cluster/most-telling.ts";
import { raceStaggered } from "../cluster/race.ts";
import { authenticate, checkSasl, type SaslWire } from "../sasl/sasl-exchange.ts";
import type { ApiRanges, ApiVersionsMax } from "./api-ranges.ts";
import { readApiRanges } from "./api-versions.ts";
import { FrameGuard } from "./frame-guard.ts";
import { hangUp } from "./hang-up.ts";
import { findMixUp } from "./port-mix-up.ts";
import type { RefusalPause } from "./refusal-pause.ts";
import { SessionConnection } from "./session-connection.ts";
import { tlsOptions } from "./tls-options.ts";
import { requireWelcome } from "./welcome.ts";

export interface DialAddress {
  readonly address: string;
  readonly family: number;
}

/** Resolves a name and judges its addresses, in the order in which they are tried; rejects with PenstockError(addressDenied). */
export type AddressGuard = (
  host: string,
  port: number,
) => Promise<DialAddress | readonly DialAddress[]>;

export interface DialOptions {
  readonly clientId: string;
  readonly connectTimeoutMs: number;
  readonly requestTimeoutMs: number;
  /** Largest response frame. */
  readonly frameBytesMax: number;
  /** Most requests on their way at once; more wait here. */
  readonly inflightMax: number;
  readonly addressGuard?: AddressGuard | undefined;
  /** Absent = plaintext without authentication. */
  readonly security?: SourceSecurity | undefined;
  /** Shared by all dials with the same credentials. */
  readonly refusalPause?: RefusalPause | undefined;
  /** Makes sure that the broker serves who is not authenticated. */
  readonly asksWelcome?: boolean;
  readonly apiVersionsMax?: ApiVersionsMax;
}

export interface Dialled {
  readonly connection: Connection;
  readonly versions: ApiRanges;
}

/** A broker, where the guard says that it is, and its name in messages. */
interface Target {
  readonly server: ServerAddress;
  readonly addresses: readonly string[];
  readonly broker: string;
}

const KEEP_ALIVE_MS = 15_000;
/** Of one name. */
const ADDRESSES_MAX = 8;
const ADDRESS_STAGGER_MS = 1_000;
const PLAINTEXT: SourceCredentials = { version: "", tls: null, sasl: null };

/** Rejects with a PenstockError that names the broker and says what to change. */
export async function dial(server: ServerAddress, options: DialOptions): Promise<Dialled> {
  const broker = `${server.host}:${server.port}`;
  try {
    const { addressGuard, security } = options;
    const guarded = await addressGuard?.(server.host, server.port);
    const addresses = guarded ? addressesOf(guarded) : [server.host];
    const target = { server, addresses, broker };
    if (!security) return await open(target, options, PLAINTEXT);
    const credentials = await security.credentials(server.host, server.port);
    invariant(security.isTls === (credentials.tls !== null), "security that is TLS stays so");
    if (credentials.sasl) checkSasl(credentials.sasl);
    options.refusalPause?.before(credentials.version);
    return await openWith(target, options, security, credentials);
  } catch (error) {
    throw toKafkaError(error, broker);
  }
}

async function openWith(
  target: Target,
  options: DialOptions,
  security: SourceSecurity,
  credentials: SourceCredentials,
): Promise<Dialled> {
  const { refusalPause } = options;
  try {
    const dialled = await open(target, options, credentials);
    refusalPause?.accepted();
    return dialled;
  } catch (error) {
    const problem = toKafkaError(error, target.broker);
    const isRefused = problem.code === "kafkaAuthentication";
    // With the secret perhaps the authority has changed that signs the brokers' certificates.
    if (isRefused || problem.code === "kafkaTls") security.refused(credentials.version);
    if (isRefused) refusalPause?.refused(credentials.version, problem);
    throw problem;
  }
}

async function open(
  target: Target,
  options: DialOptions,
  credentials: SourceCredentials,
): Promise<Dialled> {
  const { sasl } = credentials;
  const dialled = await connect(target, options, credentials);
  const { connection, versions } = dialled;
  try {
    if (sasl) await connection.beginSession(sessions(target, options, credentials), versions);
    else if (options.asksWelcome)
      await requireWelcome(dialled, () => connect(target, options, credentials), target.broker);
    return dialled;
  } catch (error) {
    hangUp(connection);
    throw error;
  }
}

type Connected = Dialled & { readonly connection: SessionConnection };

/** Of the addresses of a name some may be dead: each gets a moment before the next one is tried beside it. */
function connect(
  target: Target,
  options: DialOptions,
  credentials: SourceCredentials,
): Promise<Connected> {
  const attempts = target.addresses
    .slice(0, ADDRESSES_MAX)
    .map((address) => () => connectTo(address, target, options, credentials));
  const discard = ({ connection }: Connected) => hangUp(connection);
  return raceStaggered(attempts, ADDRESS_STAGGER_MS, discard, mostTelling);
}

async function connectTo(
  address: string,
  { server, broker }: Target,
  options: DialOptions,
  { tls }: SourceCredentials,
): Promise<Connected> {
  const connection = new SessionConnection(options.clientId, {
    connectTimeout: options.connectTimeoutMs,
    requestTimeout: options.requestTimeoutMs,
    maxInflights: options.inflightMax,
    ...(tls ? { tls: tlsOptions(tls, server.host) } : {}),
  });
  // An EventEmitter without a listener for "error" throws. The first of them says more than the failed request: what a broker has against a client's
  // certificate comes after the handshake of TLS 1.3.
  let failure: unknown = null;
  connection.on("error", (error) => {
    failure ??= error;
  });
  let isReached = false;
  try {
    const connected = connection.connect(address, server.port);
    connection.socket.once("connect", () => {
      isReached = true;
    });
    guardFrames(connection, new FrameGuard(options.frameBytesMax), tls !== null);
    await connected;
    connection.socket.setKeepAlive(true, KEEP_ALIVE_MS);
    return { connection, versions: await readApiRanges(connection, options.apiVersionsMax) };
  } catch (error) {
    const { bytesRead } = connection.socket;
    hangUp(connection);
    const problem = toKafkaError(failure ?? error, broker);
    if (!isReached) throw problem;
    const mixUp = await findMixUp(address, server.port, tls !== null, broker);
    if (mixUp) throw mixUp;
    throw bytesRead === 0 && isHangUp(problem) ? hungUp(broker, problem) : problem;
  }
}

function isHangUp({ code, cause }: PenstockError): boolean {
  return code === "kafkaUnavailable" && !(cause instanceof TimeoutError);
}

function hungUp(broker: string, cause: PenstockError): PenstockError {
  return new PenstockError(
    "kafkaUnavailable",
    `${broker} takes connections and ends them without a word: it starts or stops, or has too many (max.connections, max.connections.per.ip, a quota of connection rates).`,
    { cause },
  );
}

function addressesOf(guarded: DialAddress | readonly DialAddress[]): readonly string[] {
  return "address" in guarded ? [guarded.address] : guarded.map(({ address }) => address);
}

/** The exchange that begins the session of a connection, and those that extend it, with the secrets of their time. */
function sessions(
  { server, broker }: Target,
  { security }: DialOptions,
  first: SourceCredentials,
): (wire: SaslWire) => Promise<number> {
  let isFirst = true;
  return async (wire) => {
    const credentials =
      isFirst || !security ? first : await security.credentials(server.host, server.port);
    const { sasl, version } = credentials;
    invariant(sasl, "a session without authentication");
    checkSasl(sasl);
    try {
      return await authenticate(wire, sasl, broker);
    } catch (error) {
      if (!isFirst && toKafkaError(error, broker).code === "kafkaAuthentication")
        security?.refused(version);
      throw error;
    } finally {
      isFirst = false;
    }
  };
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
