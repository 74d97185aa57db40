import type { IncomingHttpHeaders, ServerHttp2Stream } from "node:http2";
import type { FunctionInvoker, StreamSettings } from "@penstock/egress";
import type { Logger } from "@penstock/runtime";
import { isGrpcRequest, StreamConnection } from "./stream-connection.ts";

export const INVOKE_STREAM_PATH = "/penstock.invoker.v1.InvokerService/InvokeStream";

/** All invoke streams of this process. After a pause of the process they are reset before anything of them is looked at. */
export class StreamServer {
  readonly #invoker: FunctionInvoker;
  readonly #settings: StreamSettings;
  readonly #connections = new Set<StreamConnection>();

  constructor(invoker: FunctionInvoker, settings: StreamSettings, log: Logger) {
    this.#invoker = invoker;
    this.#settings = settings;
    invoker.pauses.onPause((pausedMs) => {
      log.warn("this process stood still; its streams are reset", {
        pausedMs: Math.round(pausedMs),
        streams: this.#connections.size,
      });
      this.resetAll();
    });
  }

  get streams(): number {
    return this.#connections.size;
  }

  /** Handles one stream of the HTTP/2 server. */
  handle(stream: ServerHttp2Stream, headers: IncomingHttpHeaders): void {
    if (!isGrpcRequest(headers)) {
      stream.on("error", () => {});
      stream.respond({ ":status": 415 }, { endStream: true });
      return;
    }
    this.#connections.add(
      new StreamConnection(stream, {
        invoker: this.#invoker,
        settings: this.#settings,
        closed: (connection) => this.#connections.delete(connection),
      }),
    );
  }

  resetAll(): void {
    for (const connection of [...this.#connections]) connection.reset();
  }
}
