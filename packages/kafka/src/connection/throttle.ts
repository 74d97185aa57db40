/**
 * How long a broker wants to hear nothing on a connection (quotas, `throttle_time_ms`).
 *
 * Since KIP-219 (Kafka 2.0) it doesn't read from the connection for that long, so a request sent meanwhile only gets old there and may run into
 * its timeout. Look-ups and commits therefore wait here. Heartbeats don't: nothing that waits is in front of them when the broker reads on.
 */
import { setTimeout as delay } from "node:timers/promises";
import type { Connection } from "@platformatic/kafka";

/** Brokers bound it by their quota windows (11 s by default); what is longer is not believed. */
export const THROTTLE_MS_MAX = 60_000;

export class Throttle {
  #untilMs = 0;
  #listener: (throttleMs: number) => void = () => {};

  /** Called with each throttle time that a broker tells. */
  listen(listener: (throttleMs: number) => void): void {
    this.#listener = listener;
  }

  /** An answer has come with this throttle time; 0 = none. */
  told(throttleMs: number): void {
    if (!(throttleMs > 0)) return;
    const untilMs = performance.now() + Math.min(throttleMs, THROTTLE_MS_MAX);
    this.#untilMs = Math.max(this.#untilMs, untilMs);
    this.#listener(throttleMs);
  }

  /** Resolves when the broker listens again. */
  async over(): Promise<void> {
    for (;;) {
      const restMs = this.#untilMs - performance.now();
      if (restMs <= 0) return;
      await delay(Math.ceil(restMs), undefined, { ref: false });
    }
  }
}

const throttles = new WeakMap<Connection, Throttle>();

export function throttleOf(connection: Connection): Throttle {
  let throttle = throttles.get(connection);
  if (throttle === undefined) {
    throttle = new Throttle();
    throttles.set(connection, throttle);
  }
  return throttle;
}
