import { InvariantError, PenstockError } from "@penstock/core";
import type { FleetLog } from "./fleet-log.ts";

export interface RepeatingTaskOptions {
  readonly name: string;
  /** At least this often. */
  readonly intervalMs: number;
  /** How long a wake-up waits for more of them; default 0. */
  readonly settleMs?: number;
  readonly work: () => Promise<void>;
  readonly log: FleetLog;
  /** Told of each failure; the next run is the retry. */
  readonly onFailure?: (error: unknown) => void;
}

/**
 * Work that is done again and again: one run at a time, soon after `wake` and at least every `intervalMs`.
 *
 *   idle ─(timer, wake)─▶ running ─▶ idle        a wake-up during a run causes one more run
 *
 * A failure ends the run, not the task. An unreachable database is the database's to log; a bug ends the process.
 */
export class RepeatingTask {
  readonly #options: RepeatingTaskOptions;
  #timer: NodeJS.Timeout | null = null;
  #isDue = false;
  #dueTimer: "interval" | "wake" = "interval";
  #running: Promise<void> | null = null;
  #isStopped = true;

  constructor(options: RepeatingTaskOptions) {
    this.#options = options;
  }

  /** Starts with a run. */
  start(): void {
    if (!this.#isStopped) return;
    this.#isStopped = false;
    this.wake();
  }

  wake(): void {
    if (this.#isStopped) return;
    if (this.#running !== null) {
      this.#isDue = true;
      return;
    }
    if (this.#timer !== null && this.#dueTimer === "wake") return;
    this.#arm(this.#options.settleMs ?? 0, "wake");
  }

  /** No run starts any more; resolves when the present one has ended. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    await this.#running;
  }

  #arm(ms: number, dueTimer: "interval" | "wake"): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#dueTimer = dueTimer;
    this.#timer = setTimeout(() => {
      this.#timer = null;
      this.#running = this.#run();
    }, ms);
  }

  async #run(): Promise<void> {
    this.#isDue = false;
    const { name, log, intervalMs, settleMs = 0 } = this.#options;
    try {
      await this.#options.work();
    } catch (error) {
      if (error instanceof InvariantError) throw error;
      const isExpected = error instanceof PenstockError && error.row.retry === "retry";
      log[isExpected ? "debug" : "error"](`${name} failed`, { error });
      this.#options.onFailure?.(error);
    }
    this.#running = null;
    if (this.#isStopped) return;
    if (this.#isDue) this.#arm(settleMs, "wake");
    else this.#arm(intervalMs, "interval");
  }
}
