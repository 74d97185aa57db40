/**
 * A connection whose session ends (KIP-368): it is authenticated again before the first request after most of the session has passed.
 *
 *   open ──request, due──▶ holding (answers on their way still come) ──all here──▶ exchange ──▶ open, held requests go out
 *                                                                                   └── failed: hang up
 *
 * Always true: during the exchange the broker sees nothing but the exchange, as Kafka demands; held requests go out in order; nothing here has a
 * timer while the connection is idle, because a broker ends a session only when a request comes. A failed exchange ends the connection, and what is
 * wrong shows when the next one is opened with secrets that were read again.
 */
import { setTimeout as delay } from "node:timers/promises";
import { InvariantError, PenstockError } from "@penstock/core";
import { type Callback, Connection, type ResponseParser, type Writer } from "@platformatic/kafka";
import { ask } from "../cluster/versions/ask.ts";
import { SASL_AUTHENTICATE, SASL_HANDSHAKE } from "../cluster/versions/sasl-apis.ts";
import type { SaslWire } from "../sasl/sasl-exchange.ts";
import { ApiRanges, versionsOf } from "./api-ranges.ts";

/** Runs the exchange; how long the session then lasts in ms, 0 = for ever. */
export type Authenticate = (wire: SaslWire) => Promise<number>;

/** Of a session, at most; a random part less, so that the connections of a process don't all do it at once. */
const SESSION_SHARE_MAX = 0.85;
const SESSION_SHARE_MIN = 0.75;
/** Kafka refuses a second exchange within a second. */
const SESSION_MS_MIN = 1_100;
const HELD_MAX = 1_024;

type Send = () => void;

export class SessionConnection extends Connection {
  #authenticate: Authenticate | null = null;
  #versions: ApiRanges | null = null;
  #authenticatedAtMs = 0;
  #dueAtMs = Number.POSITIVE_INFINITY;
  #inFlight = 0;
  #drained: (() => void) | null = null;
  /** Not null: an exchange is under way or waits for the answers before it. */
  #held: { readonly send: Send; readonly fail: (error: Error) => void }[] | null = null;

  /** The first exchange; later ones follow by themselves. */
  async beginSession(authenticate: Authenticate, versions: ApiRanges): Promise<void> {
    this.#authenticate = authenticate;
    this.#versions = versions;
    await this.#exchange(authenticate);
  }

  override send<Answer>(
    apiKey: number,
    apiVersion: number,
    createPayload: () => Writer | Promise<Writer>,
    parser: ResponseParser<Answer>,
    hasRequestTags: boolean,
    hasResponseTags: boolean,
    callback: Callback<Answer>,
  ): void {
    const pass = () => {
      this.#inFlight++;
      let isAnswered = false;
      const answered: Callback<Answer> = (error, answer) => {
        if (!isAnswered) this.#answered();
        isAnswered = true;
        callback(error, answer);
      };
      super.send(
        apiKey,
        apiVersion,
        createPayload,
        parser,
        hasRequestTags,
        hasResponseTags,
        answered,
      );
    };
    if (this.#held === null && performance.now() < this.#dueAtMs) {
      pass();
      return;
    }
    if (this.#held === null) void this.#extend();
    const held = this.#held ?? [];
    if (held.length >= HELD_MAX) callback(ended());
    else held.push({ send: pass, fail: (error) => callback(error) });
  }

  #answered(): void {
    this.#inFlight--;
    if (this.#inFlight === 0) this.#drained?.();
  }

  async #extend(): Promise<void> {
    if (!this.#authenticate) throw new InvariantError("a session that nobody began");
    this.#held = [];
    let failure: Error | null = null;
    try {
      if (this.#inFlight > 0)
        await new Promise<void>((resolve) => {
          this.#drained = resolve;
        });
      const waitMs = this.#authenticatedAtMs + SESSION_MS_MIN - performance.now();
      if (waitMs > 0) await delay(waitMs);
      await this.#exchange(this.#authenticate);
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      failure = ended(error);
    }
    this.#drained = null;
    const held = this.#held;
    this.#held = null;
    if (failure) this.socket.destroy();
    for (const { send, fail } of held) {
      if (failure) fail(failure);
      else send();
    }
  }

  async #exchange(authenticate: Authenticate): Promise<void> {
    const sessionMs = await authenticate(this.#wire());
    const nowMs = performance.now();
    const share = SESSION_SHARE_MIN + (SESSION_SHARE_MAX - SESSION_SHARE_MIN) * Math.random();
    this.#authenticatedAtMs = nowMs;
    this.#dueAtMs = sessionMs > 0 ? nowMs + sessionMs * share : Number.POSITIVE_INFINITY;
  }

  /** Past the gate. */
  #wire(): SaslWire {
    const past = { host: this.host, port: this.port, send: super.send.bind(this) };
    // The library's API modules call nothing but `send`.
    const connection = past as unknown as Connection;
    const source = versionsOf(this.#versions ?? new ApiRanges(new Map()));
    return {
      handshake: (mechanism) => ask(source, connection, SASL_HANDSHAKE, mechanism),
      authenticate: (message) => ask(source, connection, SASL_AUTHENTICATE, message),
    };
  }
}

function ended(cause?: unknown): PenstockError {
  return new PenstockError(
    "kafkaUnavailable",
    "The connection to Kafka ended with its session and is opened anew.",
    { cause },
  );
}
