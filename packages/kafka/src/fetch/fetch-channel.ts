/**
 * One connection to one broker with at most one fetch on it: opened when needed, dropped when the answer is late, broken or no
 * longer wanted. Every outcome is a value.
 */
import { type Clock, InvariantError, PenstockError } from "@penstock/core";
import { type Connection, Writer } from "@platformatic/kafka";
import type { Cluster } from "../cluster/cluster.ts";
import { toKafkaError } from "../cluster/kafka-error.ts";
import { unsupported } from "../cluster/versions/ask.ts";
import { hangUp } from "../connection/hang-up.ts";
import { throttleOf } from "../connection/throttle.ts";
import type { FetchCounters } from "./fetch-counters.ts";
import {
  FETCH_API_KEY,
  FETCH_VERSION_MAX,
  FETCH_VERSION_MIN,
  type FetchCall,
} from "./wire/fetch-request.ts";
import { type FetchResponse, parseFetchResponse } from "./wire/fetch-response.ts";
import { FLEXIBLE_SINCE } from "./wire/named-fetch-request.ts";
import { WireFault } from "./wire/wire-reader.ts";

export type Exchange =
  | { readonly is: "answered"; readonly response: FetchResponse }
  | { readonly is: "failed"; readonly error: PenstockError }
  /** `drop` was called meanwhile, or there was nothing to ask for once the connection was open. */
  | { readonly is: "void" };

/** The request, in the newest version that the broker offers or an older one; null: nothing to ask for any more. */
export type BuildRequest = (version: number) => FetchCall | null;

const FETCH = { name: "Fetch", since: "0.11" };

export class FetchChannel {
  readonly #cluster: Cluster;
  readonly #node: number;
  readonly #topic: string;
  readonly #clock: Clock;
  readonly #counters: FetchCounters;
  #owner: object = {};
  #connection: Connection | null = null;
  #isBusy = false;
  #sentAtMs: number | null = null;
  #usedAtMs = 0;

  constructor(
    cluster: Cluster,
    node: number,
    topic: string,
    clock: Clock,
    counters: FetchCounters,
  ) {
    this.#cluster = cluster;
    this.#node = node;
    this.#topic = topic;
    this.#clock = clock;
    this.#counters = counters;
  }

  /** An exchange is under way, perhaps still waiting for its connection. */
  get isBusy(): boolean {
    return this.#isBusy;
  }

  /** When the request that is in flight was sent; null: none is. */
  get sentAtMs(): number | null {
    return this.#sentAtMs;
  }

  /** Open, and unused since `sinceMs`. */
  isIdleSince(sinceMs: number): boolean {
    return this.#connection !== null && !this.#isBusy && this.#usedAtMs < sinceMs;
  }

  /** Sends at once, within this call, when the connection is open. */
  async exchange(build: BuildRequest, answerWithinMs: number): Promise<Exchange> {
    const owner = this.#owner;
    this.#isBusy = true;
    let outcome: Exchange;
    try {
      outcome = await this.#exchange(build, answerWithinMs, owner);
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      outcome = { is: "failed", error: toKafkaError(error, `broker ${this.#node}`) };
    }
    if (owner !== this.#owner) return { is: "void" };
    this.#isBusy = false;
    this.#sentAtMs = null;
    if (outcome.is === "failed") this.drop();
    return outcome;
  }

  /** Ends the connection; an exchange under way comes to nothing. */
  drop(): void {
    this.#cluster.closeOwner(this.#owner);
    this.#owner = {};
    this.#connection = null;
    this.#isBusy = false;
    this.#sentAtMs = null;
  }

  async #exchange(build: BuildRequest, answerWithinMs: number, owner: object): Promise<Exchange> {
    let connection = this.#connection;
    if (!connection?.isConnected()) {
      connection = await this.#cluster.brokerConnection(this.#node, "fetch", owner);
      if (owner !== this.#owner) return { is: "void" };
      this.#connection = connection;
    }
    const newest = this.#cluster.apiVersion(connection, FETCH_API_KEY, FETCH_VERSION_MAX);
    if (newest < FETCH_VERSION_MIN) throw unsupported(FETCH, connection);
    const call = build(newest);
    if (call === null) return { is: "void" };
    const { version, payload } = call;
    const sentAtMs = this.#clock.nowMs();
    this.#sentAtMs = sentAtMs;
    this.#usedAtMs = sentAtMs;
    this.#counters.requests++;
    const body = await answer(connection, version, payload, answerWithinMs);
    this.#counters.answered(this.#clock.nowMs() - sentAtMs, body.length);
    try {
      const response = parseFetchResponse(body, version, this.#topic);
      if (response.throttleMs > 0) {
        throttleOf(connection).told(response.throttleMs);
        this.#counters.throttled(response.throttleMs);
      }
      return { is: "answered", response };
    } catch (cause) {
      if (!(cause instanceof WireFault)) throw cause;
      const text = `Broker ${this.#node} sent bytes that break the protocol.`;
      throw new PenstockError("kafkaCorrupt", text, { cause });
    }
  }
}

/** The body of the answer. The library's own timeout is longer; this one knows how long the broker may take. */
function answer(
  connection: Connection,
  version: number,
  payload: Buffer,
  withinMs: number,
): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    let isLate = false;
    const timer = setTimeout(() => {
      isLate = true;
      hangUp(connection);
    }, withinMs);
    connection.send(
      FETCH_API_KEY,
      version,
      () => Writer.create().append(payload),
      (_correlationId, _apiKey, _apiVersion, reader) =>
        reader.buffer.slice(reader.position, reader.buffer.length),
      version >= FLEXIBLE_SINCE,
      version >= FLEXIBLE_SINCE,
      (error, body) => {
        clearTimeout(timer);
        if (!error && body) resolve(body);
        else if (!isLate) reject(error ?? new Error("no answer"));
        else {
          const text = `A Kafka broker did not answer a fetch within ${withinMs} ms.`;
          reject(new PenstockError("kafkaUnavailable", text, { cause: error }));
        }
      },
    );
  });
}
