/**
 * After Kafka refused credentials: who tries again when. Brokers and directories lock accounts that fail often, so the pause is longer than after an
 * outage, and one attempt at a time stands for all connections of a cluster.
 *
 *   refused ──▶ 2 s, 4 s, … 30 s of pause for the same secret ──▶ one attempt ──▶ accepted: forgotten · refused: a longer pause
 *
 * A secret that has changed is tried after a second.
 */
import type { PenstockError } from "@penstock/core";
import { backoffMs } from "./backoff.ts";

const PAUSE_BASE_MS = 2_000;
const PAUSE_LIMIT_MS = 30_000;
const CHANGED_PAUSE_MS = 1_000;

export class RefusalPause {
  readonly #nowMs: () => number;
  readonly #random: () => number;
  #refusal: { readonly version: string; readonly error: PenstockError } | null = null;
  #failures = 0;
  #isTrying = false;
  #untilMs = 0;
  #changedUntilMs = 0;

  constructor(nowMs: () => number, random: () => number = Math.random) {
    this.#nowMs = nowMs;
    this.#random = random;
  }

  /** Throws the last refusal while it is too early; otherwise this attempt is the one. */
  before(version: string): void {
    const refusal = this.#refusal;
    if (refusal === null) return;
    const nowMs = this.#nowMs();
    const untilMs = refusal.version === version ? this.#untilMs : this.#changedUntilMs;
    if (nowMs < untilMs) throw refusal.error;
    this.#isTrying = true;
    this.#pauseFrom(nowMs);
  }

  refused(version: string, error: PenstockError): void {
    // Attempts that were on their way together count once.
    if (this.#refusal === null || this.#isTrying) this.#failures++;
    this.#isTrying = false;
    this.#refusal = { version, error };
    this.#pauseFrom(this.#nowMs());
  }

  accepted(): void {
    this.#isTrying = false;
    this.#refusal = null;
    this.#failures = 0;
  }

  #pauseFrom(nowMs: number): void {
    const pauseMs = backoffMs(this.#failures, PAUSE_BASE_MS, PAUSE_LIMIT_MS, this.#random);
    this.#untilMs = nowMs + pauseMs;
    this.#changedUntilMs = nowMs + CHANGED_PAUSE_MS;
  }
}
