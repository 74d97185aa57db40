/**
 * Keeps parts running: starts them, starts them again when they end by themselves, stops them in the
 * reverse order of their start.
 *
 *     start ──▶ running ──(ended)──▶ waiting (back-off) ──▶ launching ──▶ running …
 *     stop  ──▶ nothing is launched any more; last started, first stopped, one after the other
 *
 * A part that can't be started the first time fails `start`; later it is tried again for ever.
 */
import { setTimeout as delay } from "node:timers/promises";

/** A part that is up. The same object may serve again after a restart. */
export interface Running {
  readonly pid: number;
  /** Settles when the part has ended, for whatever reason. */
  readonly exited: Promise<void>;
  stop(): Promise<void>;
}

export interface Part {
  readonly name: string;
  /** Starts the part and settles when it is ready. When `signal` aborts it should hurry to either end. */
  launch(signal: AbortSignal): Promise<Running>;
}

export interface SupervisorEvents {
  /** The part has ended by itself and will be started again. */
  ended?(name: string, pid: number, againInMs: number): void;
  /** A restart has failed and will be tried again. */
  failed?(name: string, cause: unknown, againInMs: number): void;
  /** The part is back. */
  back?(name: string, pid: number): void;
}

export interface SupervisorOptions {
  events?: SupervisorEvents;
  /** Wait before the n-th restart in a row (from 0); default 100 ms doubling up to 5 s. */
  backoffMs?: (restarts: number) => number;
  /** A part that ran for this long starts again without back-off; default 10 s. */
  stableMs?: number;
}

interface Held {
  part: Part;
  running: Running | undefined;
  /** The launch under way; never rejects. */
  launching: Promise<void>;
}

const STABLE_MS = 10_000;

function defaultBackoffMs(restarts: number): number {
  return Math.min(100 * 2 ** restarts, 5_000);
}

export class Supervisor {
  readonly #held: Held[] = [];
  readonly #stopping = new AbortController();
  readonly #events: SupervisorEvents;
  readonly #backoffMs: (restarts: number) => number;
  readonly #stableMs: number;
  #stopped: Promise<void> | undefined;

  constructor(options: SupervisorOptions = {}) {
    this.#events = options.events ?? {};
    this.#backoffMs = options.backoffMs ?? defaultBackoffMs;
    this.#stableMs = options.stableMs ?? STABLE_MS;
  }

  /** Starts parts side by side and settles when all are ready. Throws when one can't be started; `stop` is due then. */
  async start(...parts: readonly Part[]): Promise<void> {
    this.#stopping.signal.throwIfAborted();
    const launches = parts.map((part) => {
      const held: Held = { part, running: undefined, launching: Promise.resolve() };
      this.#held.push(held);
      return this.#launch(held).then(() => void this.#keep(held));
    });
    const failure = (await Promise.allSettled(launches)).find((one) => one.status === "rejected");
    if (failure !== undefined) throw failure.reason;
  }

  /** Id of the process of a part, or undefined while it is not running. */
  pidOf(name: string): number | undefined {
    return this.#held.find((held) => held.part.name === name)?.running?.pid;
  }

  /** Stops everything, last started first. Settles when all have ended; safe to call again. */
  stop(): Promise<void> {
    this.#stopped ??= this.#stopAll();
    return this.#stopped;
  }

  async #stopAll(): Promise<void> {
    this.#stopping.abort();
    for (const held of this.#held.toReversed()) {
      await held.launching;
      await held.running?.stop();
    }
  }

  #launch(held: Held): Promise<void> {
    const launch = held.part.launch(this.#stopping.signal).then((running) => {
      held.running = running;
    });
    held.launching = launch.catch(() => {
      // Whoever asked for the launch gets the failure; this copy only says when it is over.
    });
    return launch;
  }

  /** Lives as long as the part is wanted. */
  async #keep(held: Held): Promise<void> {
    const { signal } = this.#stopping;
    for (let restarts = 0; ; ) {
      const since = performance.now();
      await held.running?.exited;
      if (signal.aborted) return;
      if (performance.now() - since >= this.#stableMs) restarts = 0;
      const pid = held.running?.pid ?? -1;
      held.running = undefined;
      this.#events.ended?.(held.part.name, pid, this.#backoffMs(restarts));
      while (held.running === undefined) {
        await delay(this.#backoffMs(restarts++), undefined, { signal }).catch(() => {
          // Aborted: looked at below.
        });
        if (signal.aborted) return;
        await this.#launch(held).catch((cause: unknown) => {
          if (signal.aborted) return;
          this.#events.failed?.(held.part.name, cause, this.#backoffMs(restarts));
        });
      }
      this.#events.back?.(held.part.name, this.pidOf(held.part.name) ?? -1);
    }
  }
}
