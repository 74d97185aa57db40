/**
 * A process's place in the fleet: one stream to the mapping service that is kept up for as long as the process lives.
 *
 *     joining ──welcome──▶ connected ──stream ends or breaks──▶ waiting ──back-off──▶ joining
 *        └──refused, unreachable, no welcome in time──────────────▲
 *
 * What is always true: `hello` is the first message of every stream; `send` takes messages only while connected and never more than a
 * bounded number; `onConnected` and `onDisconnected` alternate. What the service said last stays true for the process while it is
 * away: nothing is taken back here.
 */
import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { createClient } from "@connectrpc/connect";
import { fleet } from "@penstock/proto";
import type { Logger } from "../logs/logger.ts";
import { createRpcTransport } from "../rpc/client/rpc-transport.ts";
import { toPenstockError } from "../rpc/error-edge.ts";
import type { ClientSecurity } from "../tls/client-security.ts";
import { Backoff } from "./backoff.ts";
import { SendQueue } from "./send-queue.ts";

export interface FleetHello {
  /** UUID v4, chosen at the start of the process. */
  readonly nodeId: string;
  readonly kind: fleet.NodeKind;
  /** `host:port` of our gRPC listener, as others dial it. */
  readonly address: string;
  readonly version: string;
}

export interface JoinFleetOptions {
  /** `host:port` of the mapping service. */
  readonly address: string;
  readonly hello: FleetHello;
  readonly log: Logger;
  /** Each message, `welcome` included, in order. Must not throw. */
  readonly onMessage: (message: fleet.JoinResponse) => void;
  /** After `welcome`, before it is given to `onMessage`: the time to send what the service must know first. */
  readonly onConnected: () => void;
  readonly onDisconnected: () => void;
  /** Messages that wait to be sent; default 1000. */
  readonly queueMax?: number;
  readonly backoffMinMs?: number;
  readonly backoffMaxMs?: number;
  /** Default: in the clear, without credentials. */
  readonly security?: ClientSecurity | undefined;
}

export interface FleetMembership {
  /** False when not connected or when the queue is full: nothing was sent. */
  send(message: fleet.JoinRequest): boolean;
  readonly isConnected: boolean;
  /** Sends what waits, ends the stream and stays away. */
  close(): Promise<void>;
}

const WELCOME_MS_MAX = 10_000;
/** A stream that lived this long counts as a success, and the next attempt comes quickly. */
const STABLE_MS = 5000;
const CLOSE_MS_MAX = 1000;

export function joinFleet(options: JoinFleetOptions): FleetMembership {
  const membership = new Membership(options);
  return membership;
}

class Membership implements FleetMembership {
  readonly #options: JoinFleetOptions;
  readonly #transport: ReturnType<typeof createRpcTransport>;
  readonly #closing = new AbortController();
  readonly #loop: Promise<void>;
  #queue: SendQueue<fleet.JoinRequest> | null = null;
  #isConnected = false;

  constructor(options: JoinFleetOptions) {
    this.#options = options;
    this.#transport = createRpcTransport({
      address: options.address,
      security: options.security,
    });
    this.#loop = this.#run();
  }

  get isConnected(): boolean {
    return this.#isConnected;
  }

  send(message: fleet.JoinRequest): boolean {
    return this.#isConnected && this.#queue?.push(message) === true;
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#queue?.end();
    const limit = setTimeout(() => this.#transport.close(), CLOSE_MS_MAX);
    await this.#loop;
    clearTimeout(limit);
    this.#transport.close();
  }

  async #run(): Promise<void> {
    const { log, address } = this.#options;
    const backoff = new Backoff(
      this.#options.backoffMinMs ?? 100,
      this.#options.backoffMaxMs ?? 5000,
    );
    while (!this.#closing.signal.aborted) {
      const startedMs = performance.now();
      const failure = await this.#stream();
      if (this.#closing.signal.aborted) return;
      if (performance.now() - startedMs >= STABLE_MS) backoff.reset();
      const delayMs = Math.round(backoff.next());
      log.warn("not joined to the fleet; will try again", { address, delayMs, ...failure });
      await this.#wait(delayMs);
    }
  }

  /** One stream from hello to its end. Never rejects. */
  async #stream(): Promise<{ code?: string; reason: string }> {
    const queue = new SendQueue<fleet.JoinRequest>(this.#options.queueMax ?? 1000);
    this.#queue = queue;
    queue.push(helloMessage(this.#options.hello));
    const abort = new AbortController();
    const welcomeLimit = setTimeout(() => abort.abort(), WELCOME_MS_MAX);
    try {
      const client = createClient(fleet.FleetService, this.#transport);
      for await (const message of client.join(queue, { signal: abort.signal, timeoutMs: 0 })) {
        clearTimeout(welcomeLimit);
        if (!this.#isConnected) this.#connected();
        this.#options.onMessage(message);
      }
      return { reason: "the mapping service ended the stream" };
    } catch (error) {
      const { code, message } = toPenstockError(error);
      return { code, reason: message };
    } finally {
      clearTimeout(welcomeLimit);
      queue.end();
      this.#queue = null;
      this.#disconnected();
    }
  }

  #connected(): void {
    this.#isConnected = true;
    this.#options.log.info("joined the fleet", { address: this.#options.address });
    this.#options.onConnected();
  }

  #disconnected(): void {
    if (!this.#isConnected) return;
    this.#isConnected = false;
    this.#options.onDisconnected();
  }

  #wait(delayMs: number): Promise<void> {
    return new Promise((resolve) => {
      const { signal } = this.#closing;
      const done = (): void => {
        clearTimeout(timer);
        signal.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, delayMs);
      signal.addEventListener("abort", done);
    });
  }
}

function helloMessage(hello: FleetHello): fleet.JoinRequest {
  const message: MessageInitShape<typeof fleet.JoinRequestSchema> = {
    message: { case: "hello", value: hello },
  };
  return create(fleet.JoinRequestSchema, message);
}
