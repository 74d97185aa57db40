import { type AddressInfo, connect, createServer, type Server, type Socket } from "node:net";
import { type Inspect, Link } from "./link.ts";
import { HEALTHY, type LinkFaults } from "./link-faults.ts";

/** Looks into one connection; made anew for each. */
export interface Inspector {
  readonly toServer?: Inspect;
  readonly toClient?: Inspect;
}

export interface FaultProxyOptions {
  /** Port on loopback of the real server; it need not listen yet. */
  readonly target: number;
  /** Default: a free one. */
  readonly port?: number;
  readonly inspect?: () => Inspector;
}

/**
 * A TCP proxy on loopback that misbehaves as told, each direction on its own, switchable while connections are open.
 *
 *     const proxy = await FaultProxy.start({ target: kafka.port });
 *     proxy.toClient = { latencyMs: 200 };   proxy.resetAll();   proxy.isRefusing = true;   proxy.heal();
 */
export class FaultProxy {
  /** Faults of what clients send. */
  toServer: LinkFaults = HEALTHY;
  /** Faults of what the server answers. */
  toClient: LinkFaults = HEALTHY;
  /** New connections are reset at once. */
  isRefusing = false;
  /** Connections since the start. */
  accepted = 0;
  /** Connections that the proxy has cut itself. */
  cut = 0;
  readonly #server: Server;
  readonly #options: FaultProxyOptions;
  readonly #connections = new Set<Connection>();

  constructor(options: FaultProxyOptions) {
    this.#options = options;
    this.#server = createServer({ allowHalfOpen: true }, (client) => this.#accept(client));
  }

  static async start(options: FaultProxyOptions): Promise<FaultProxy> {
    const proxy = new FaultProxy(options);
    await proxy.listen();
    return proxy;
  }

  listen(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once("error", reject);
      this.#server.listen(this.#options.port ?? 0, "127.0.0.1", resolve);
    });
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get open(): number {
    return this.#connections.size;
  }

  /** Bytes that open connections have taken and not passed on. */
  get swallowed(): number {
    let bytes = 0;
    for (const { toServer, toClient } of this.#connections) {
      bytes += toServer.swallowed + toClient.swallowed;
    }
    return bytes;
  }

  heal(): void {
    this.toServer = HEALTHY;
    this.toClient = HEALTHY;
    this.isRefusing = false;
  }

  /** Ends every open connection with a reset. */
  resetAll(): void {
    for (const connection of this.#connections) connection.reset();
  }

  /** Ends one direction of every open connection; the other stays usable. */
  halfCloseAll(direction: "toServer" | "toClient"): void {
    for (const connection of this.#connections) connection[direction].halfClose();
  }

  async stop(): Promise<void> {
    this.resetAll();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #accept(client: Socket): void {
    client.on("error", ignore);
    this.accepted++;
    if (this.isRefusing) {
      client.resetAndDestroy();
      return;
    }
    const server = connect({
      port: this.#options.target,
      host: "127.0.0.1",
      allowHalfOpen: true,
      noDelay: true,
    });
    client.setNoDelay(true);
    const end = (): void => {
      client.destroy();
      server.destroy();
      this.#connections.delete(connection);
    };
    const reset = (): void => {
      this.cut++;
      client.resetAndDestroy();
      server.resetAndDestroy();
      this.#connections.delete(connection);
    };
    const inspector = this.#options.inspect?.() ?? {};
    const connection: Connection = {
      toServer: new Link(client, server, () => this.toServer, reset, inspector.toServer),
      toClient: new Link(server, client, () => this.toClient, reset, inspector.toClient),
      reset,
    };
    this.#connections.add(connection);
    server.on("error", end);
    client.on("close", end);
    server.on("close", () => client.destroySoon());
  }
}

interface Connection {
  readonly toServer: Link;
  readonly toClient: Link;
  readonly reset: () => void;
}

/** A reset that we or the peer asked for: the close event follows. */
function ignore(): void {}
