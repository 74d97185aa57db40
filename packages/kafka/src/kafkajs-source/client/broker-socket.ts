/**
 * The socket that kafkajs gets: what it does before it is connected is asynchronous, and kafkajs wants a socket at once.
 *
 *   address guard ─▶ credentials ─▶ connect, TLS (always verified) ─▶ frame guard ─▶ kafkajs
 *
 * Always true: what is dialled is an address that the guard returned (S-07, K-13), TLS is verified against the name that was asked for (S-21), and a
 * frame with a length outside the limits ends the connection before kafkajs sees its bytes (F11). Why it failed is told, since kafkajs keeps only text.
 */
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import { Duplex } from "node:stream";
import { connect as connectTls } from "node:tls";
import type { PenstockError, SourceSecurity } from "@penstock/core";
import type { ServerAddress } from "../../cluster/bootstrap-server.ts";
import { toKafkaError } from "../../cluster/kafka-error.ts";
import type { AddressGuard } from "../../connection/dial.ts";
import { FrameGuard } from "../../connection/frame-guard.ts";
import { findMixUp } from "../../connection/port-mix-up.ts";
import { tlsOptions } from "../../connection/tls-options.ts";

export interface BrokerSocketOptions {
  readonly addressGuard?: AddressGuard | undefined;
  readonly security?: SourceSecurity | undefined;
  readonly frameBytesMax: number;
  /** Why a broker can't be reached or spoken to. */
  readonly failed: (broker: string, problem: PenstockError) => void;
}

const KEEP_ALIVE_MS = 15_000;

export class BrokerSocket extends Duplex {
  readonly #server: ServerAddress;
  readonly #options: BrokerSocketOptions;
  readonly #frames: FrameGuard;
  #socket: Socket | null = null;
  #isConnected = false;
  /** Nothing that still comes is read. */
  #isOver = false;
  #hasReceived = false;

  constructor(server: ServerAddress, options: BrokerSocketOptions, onConnect: () => void) {
    super({ allowHalfOpen: false });
    this.#server = server;
    this.#options = options;
    this.#frames = new FrameGuard(options.frameBytesMax);
    this.#open(onConnect).catch((error: unknown) => this.#fail(error));
  }

  /** Ends it at once, and with it what kafkajs waits for. */
  hangUp(): void {
    this.#fail(new Error("hung up"));
  }

  /** Called by kafkajs after `end`. */
  unref(): void {
    this.#socket?.unref();
  }

  override _read(): void {
    this.#socket?.resume();
  }

  override _write(chunk: Buffer, _encoding: string, done: (error?: Error | null) => void): void {
    if (this.#socket) this.#socket.write(chunk, done);
    else done(new Error("not connected"));
  }

  override _final(done: () => void): void {
    this.#socket?.end();
    done();
    this.destroy();
  }

  override _destroy(error: Error | null, done: (error: Error | null) => void): void {
    this.#socket?.destroy();
    done(error);
  }

  async #open(onConnect: () => void): Promise<void> {
    const { host, port } = this.#server;
    const { addressGuard, security } = this.#options;
    const guarded = (await addressGuard?.(host, port)) ?? { address: host };
    const addresses = "address" in guarded ? [guarded] : guarded;
    const tls = (await security?.credentials(host, port))?.tls ?? null;
    const plain = await this.#reach(addresses.map(({ address }) => address));
    if (this.destroyed) {
      plain.destroy();
      return;
    }
    const address = plain.remoteAddress ?? host;
    const socket = tls ? connectTls({ socket: plain, ...tlsOptions(tls, host) }) : plain;
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      if (this.#isOver) return;
      if (this.#frames.accept(chunk)) {
        this.#received(chunk);
        return;
      }
      // Also what the other side says when it was taken for another protocol.
      this.#isOver = true;
      ended({ code: "PLT_KFK_OUT_OF_BOUNDS" });
    });
    const ended = (error: unknown) => {
      if (this.destroyed || this.#hasReceived) this.#fail(error);
      else
        findMixUp(address, port, tls !== null, this.#name).then(
          (mixUp) => this.#fail(mixUp ?? error),
          () => this.#fail(error),
        );
    };
    socket.on("error", ended);
    socket.once("end", () => ended(null));
    socket.once("close", () => ended(null));
    if (tls) await once(socket, "secureConnect");
    this.#isConnected = true;
    onConnect();
  }

  /** The first address that takes the connection. */
  async #reach(addresses: readonly string[]): Promise<Socket> {
    const { port } = this.#server;
    let failure: unknown = null;
    for (const host of addresses) {
      const socket = connectTcp({ host, port, keepAlive: true, noDelay: true });
      socket.setKeepAlive(true, KEEP_ALIVE_MS);
      this.#socket = socket;
      try {
        await once(socket, "connect");
        return socket;
      } catch (error) {
        failure = error;
        if (this.destroyed) break;
      }
    }
    throw failure;
  }

  get #name(): string {
    return `${this.#server.host}:${this.#server.port}`;
  }

  #received(chunk: Buffer): void {
    this.#hasReceived = true;
    if (!this.push(chunk)) this.#socket?.pause();
  }

  #fail(error: unknown): void {
    if (this.destroyed) return;
    this.#isOver = true;
    const problem = toKafkaError(error, this.#name);
    this.#options.failed(this.#name, problem);
    // Until it is connected kafkajs waits for an "error", and then for an "end": on an error it leaves an authentication under way waiting for ever.
    if (this.#isConnected) this.push(null);
    else this.destroy(problem);
  }
}
