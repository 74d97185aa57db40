import type { Clock } from "@penstock/core";
import type { Timers } from "../event-poller/context.ts";

/** More timers than this in one step are a loop. */
const FIRED_MAX = 100_000;

/** Time that moves only when it is told to, and the timers that live in it. */
export class VirtualTime implements Clock, Timers {
  #nowMs = 0;
  #order = 0;
  #due: { readonly atMs: number; readonly order: number; readonly fire: () => void }[] = [];

  nowMs(): number {
    return this.#nowMs;
  }

  wallMs(): number {
    return 1_700_000_000_000 + this.#nowMs;
  }

  after(ms: number, fire: () => void): () => void {
    const entry = { atMs: this.#nowMs + ms, order: this.#order++, fire };
    this.#due.push(entry);
    return () => {
      this.#due = this.#due.filter((other) => other !== entry);
    };
  }

  /** Moves on by `ms`, firing what falls due, in order. */
  async advance(ms: number): Promise<void> {
    const untilMs = this.#nowMs + ms;
    for (let fired = 0; ; fired++) {
      if (fired > FIRED_MAX) throw new Error("timers keep firing without time moving on");
      await settle();
      const next = this.#due
        .filter(({ atMs }) => atMs <= untilMs)
        .sort((a, b) => a.atMs - b.atMs || a.order - b.order)[0];
      if (next === undefined) break;
      this.#due = this.#due.filter((other) => other !== next);
      this.#nowMs = Math.max(this.#nowMs, next.atMs);
      next.fire();
    }
    this.#nowMs = untilMs;
    await settle();
  }
}

/** Lets promise reactions run. */
async function settle(): Promise<void> {
  for (let i = 0; i < 20; i++) await Promise.resolve();
}
