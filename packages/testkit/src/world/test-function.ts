import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { Delivery } from "../history/delivery.ts";
import { waitUntil } from "../wait-until.ts";

/** How the function answers one call. */
export interface Answer {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly delayMs?: number;
}

/** What the function knows of a call when it decides. */
export interface Call {
  readonly attempt: number;
  readonly offsets: ReadonlyMap<string, readonly number[]>;
  readonly headers: IncomingMessage["headers"];
  readonly body: Buffer;
}

const OK: Answer = { status: 200 };

/**
 * An HTTP function that records each call, in a history that is the truth about deliveries. It answers 200 at once unless `answer` says
 * otherwise; `holdAll` keeps every call unanswered until it is released.
 */
export class TestFunction {
  readonly deliveries: Delivery[] = [];
  /** Decides the answer of a call. */
  answer: (call: Call) => Answer = () => OK;
  readonly port: number;
  readonly #server: Server;
  #held: (() => void)[] | null = null;

  private constructor(server: Server) {
    this.#server = server;
    this.port = (server.address() as AddressInfo).port;
  }

  static async start(port = 0): Promise<TestFunction> {
    const server = createServer({ keepAliveTimeout: 60_000 });
    await new Promise<void>((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", resolve);
    });
    const self = new TestFunction(server);
    server.on("request", (request, response) => self.#serve(request, response));
    return self;
  }

  get url(): string {
    return `http://127.0.0.1:${this.port}/`;
  }

  /** Calls that are being held. */
  get heldCount(): number {
    return this.#held?.length ?? 0;
  }

  /** From now on no call is answered until `release`. */
  holdAll(): { reached(count: number): Promise<unknown>; release(): void } {
    this.#held = [];
    return {
      reached: (count) => waitUntil(`${count} calls are held`, () => this.heldCount >= count),
      release: () => {
        const held = this.#held ?? [];
        this.#held = null;
        for (const answer of held) answer();
      },
    };
  }

  /** Records delivered with success, by `topic-partition`. */
  deliveredCount(): number {
    let count = 0;
    for (const { status, offsets } of this.deliveries) {
      if (status === 200) for (const each of offsets.values()) count += each.length;
    }
    return count;
  }

  async stop(): Promise<void> {
    this.#server.closeAllConnections();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #serve(request: IncomingMessage, response: ServerResponse): void {
    const chunks: Buffer[] = [];
    request.on("data", (chunk: Buffer) => chunks.push(chunk));
    request.on("error", () => {}); // a killed invoker: the call stays unanswered in the history
    request.on("end", () => {
      const body = Buffer.concat(chunks);
      const call = readCall(request, body);
      const delivery = {
        startMs: Date.now(),
        endMs: Number.POSITIVE_INFINITY,
        status: 0,
        requestId: String(request.headers["penstock-request-id"]),
        mappingId: String(request.headers["penstock-mapping-id"]),
        attempt: call.attempt,
        offsets: call.offsets,
      };
      this.deliveries.push(delivery);
      const respond = (): void => {
        const { status, headers = {}, body: text = "{}", delayMs = 0 } = this.answer(call);
        const write = (): void => {
          delivery.endMs = Date.now();
          delivery.status = status;
          response.writeHead(status, headers).end(text);
        };
        if (delayMs > 0) setTimeout(write, delayMs);
        else write();
      };
      if (this.#held === null) respond();
      else this.#held.push(respond);
    });
  }
}

interface EventShape {
  readonly records: Readonly<Record<string, readonly { readonly offset: number }[]>>;
}

function readCall(request: IncomingMessage, body: Buffer): Call {
  const event = JSON.parse(body.toString()) as EventShape;
  const offsets = new Map(
    Object.entries(event.records).map(([partition, records]) => [
      partition,
      records.map(({ offset }) => offset),
    ]),
  );
  const attempt = Number(request.headers["penstock-attempt"]);
  return { attempt, offsets, headers: request.headers, body };
}
