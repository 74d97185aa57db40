import { setTimeout as delay } from "node:timers/promises";

/**
 * Starts the attempts one after another, the next when the one before failed or after `staggerMs`, and resolves with the first
 * success; later successes are handed to `discard`. When all failed, rejects with what `choose` makes of their errors (default: the first).
 * One dead server among several so costs `staggerMs`, not a connect timeout.
 */
export async function raceStaggered<T>(
  attempts: readonly (() => Promise<T>)[],
  staggerMs: number,
  discard: (late: T) => void,
  choose: (errors: readonly unknown[]) => unknown = ([first]) => first,
): Promise<T> {
  const stop = new AbortController();
  let won = false;
  let gate: Promise<unknown> = Promise.resolve();
  const running = attempts.map((attempt) => {
    const start = gate;
    const run = start.then(async () => {
      if (won) throw new Error("another attempt won");
      const value = await attempt();
      if (won) {
        discard(value);
        throw new Error("another attempt won");
      }
      won = true;
      return value;
    });
    const failed = run.then(
      () => undefined,
      () => undefined,
    );
    gate = start.then(() =>
      Promise.race([failed, delay(staggerMs, undefined, { signal: stop.signal }).catch(() => {})]),
    );
    return run;
  });
  try {
    return await Promise.any(running);
  } catch (error) {
    throw error instanceof AggregateError ? choose(error.errors) : error;
  } finally {
    stop.abort();
  }
}
