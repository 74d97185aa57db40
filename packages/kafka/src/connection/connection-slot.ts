/**
 * The place of one shared connection: open, being opened, or waiting to be opened again.
 *
 *   empty ──get──▶ dialling (after the backoff that past failures cost) ──▶ open ──closed──▶ empty
 *
 * Concurrent callers share one attempt and its outcome. A connection that ends soon after it opened counts as a failure, so that a
 * broker which accepts and hangs up is not dialled in a tight loop.
 */
import { setTimeout as delay } from "node:timers/promises";
import { type Clock, type ErrorCode, PenstockError } from "@penstock/core";
import type { Connection } from "@platformatic/kafka";
import { backoffMs } from "./backoff.ts";
import { hangUp } from "./hang-up.ts";

const BACKOFF_BASE_MS = 100;
const BACKOFF_LIMIT_MS = 2_000;
/** When somebody has to change something first. */
const REFUSED_BACKOFF_LIMIT_MS = 5_000;
/** When credentials were refused: `RefusalPause` decides when a broker is asked; here it is looked whether they have changed. */
const AUTHENTICATION_BACKOFF_LIMIT_MS = 1_000;
const SHORT_LIFE_MS = 3_000;

export class ConnectionSlot {
  readonly #open: () => Promise<Connection>;
  readonly #clock: Clock;
  readonly #ended = new AbortController();
  #connection: Connection | null = null;
  #pending: Promise<Connection> | null = null;
  #failures = 0;
  #failure: ErrorCode | null = null;
  #backoffLimitMs = BACKOFF_LIMIT_MS;

  constructor(open: () => Promise<Connection>, clock: Clock) {
    this.#open = open;
    this.#clock = clock;
  }

  get isOpen(): boolean {
    return this.#connection?.isConnected() ?? false;
  }

  get(): Promise<Connection> {
    const connection = this.#connection;
    if (connection?.isConnected()) return Promise.resolve(connection);
    this.#pending ??= this.#dial().finally(() => {
      this.#pending = null;
    });
    return this.#pending;
  }

  close(): void {
    this.#ended.abort();
    if (this.#connection) hangUp(this.#connection);
    this.#connection = null;
  }

  async #dial(): Promise<Connection> {
    const { signal } = this.#ended;
    if (this.#failures > 0) {
      const waitMs = backoffMs(this.#failures, BACKOFF_BASE_MS, this.#backoffLimitMs);
      await delay(waitMs, undefined, { signal }).catch(() => {
        throw closed();
      });
    }
    if (signal.aborted) throw closed();
    let connection: Connection;
    try {
      connection = await this.#open();
    } catch (error) {
      this.#failed(error);
      throw error;
    }
    if (signal.aborted) {
      hangUp(connection);
      throw closed();
    }
    this.#adopt(connection);
    return connection;
  }

  #failed(error: unknown): void {
    const { code, row } = error instanceof PenstockError ? error : { code: null, row: null };
    // Another problem than before: somebody is at work on it.
    this.#failures = code === this.#failure ? this.#failures + 1 : 1;
    this.#failure = code;
    const isRefused = row?.retry === "operator";
    this.#backoffLimitMs = isRefused ? REFUSED_BACKOFF_LIMIT_MS : BACKOFF_LIMIT_MS;
    if (code === "kafkaAuthentication") this.#backoffLimitMs = AUTHENTICATION_BACKOFF_LIMIT_MS;
  }

  #adopt(connection: Connection): void {
    const openedAt = this.#clock.nowMs();
    this.#connection = connection;
    this.#failure = null;
    this.#backoffLimitMs = BACKOFF_LIMIT_MS;
    connection.once("close", () => {
      this.#failures = this.#clock.nowMs() - openedAt < SHORT_LIFE_MS ? this.#failures + 1 : 0;
      if (this.#connection === connection) this.#connection = null;
    });
  }
}

function closed(): PenstockError {
  return new PenstockError("kafkaUnavailable", "The connection to Kafka was closed.");
}
