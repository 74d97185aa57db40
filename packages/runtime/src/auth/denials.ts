import type { Logger } from "../logs/logger.ts";
import type { Observation } from "../telemetry/instruments.ts";
import type { DenialReason } from "./access.ts";

/** Lines in one interval; more are counted and said with the next one that is written. */
const LINES_MAX = 10;
const INTERVAL_MS = 10_000;
const METHOD_LENGTH_MAX = 200;

/** Counts calls that were refused, and logs them: never what was presented, and not so often that an attack fills the disk. */
export class Denials {
  readonly #log: Logger;
  readonly #nowMs: () => number;
  readonly #counts = new Map<DenialReason, number>();
  #intervalStartMs = Number.NEGATIVE_INFINITY;
  #lines = 0;
  #unsaid = 0;

  /** @param nowMs monotonic */
  constructor(log: Logger, nowMs: () => number) {
    this.#log = log;
    this.#nowMs = nowMs;
  }

  note(
    reason: DenialReason,
    { method, subject }: { method: string; subject: string | null },
  ): void {
    this.#counts.set(reason, (this.#counts.get(reason) ?? 0) + 1);
    const nowMs = this.#nowMs();
    if (nowMs - this.#intervalStartMs >= INTERVAL_MS) {
      this.#intervalStartMs = nowMs;
      this.#lines = 0;
    }
    if (this.#lines >= LINES_MAX) {
      this.#unsaid++;
      return;
    }
    this.#lines++;
    const unsaid = this.#unsaid;
    this.#unsaid = 0;
    this.#log.warn("call denied", {
      reason,
      method: method.slice(0, METHOD_LENGTH_MAX),
      subject,
      ...(unsaid > 0 && { unsaidBefore: unsaid }),
    });
  }

  counts(): Observation[] {
    return [...this.#counts].map(([reason, count]) => [count, { reason }]);
  }
}
