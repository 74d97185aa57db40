import { setTimeout as delay } from "node:timers/promises";

const POLL_MS = 25;

/**
 * Waits for a condition, with a deadline. `probe` returns what it found, or null / false / undefined to be asked again; an error that it
 * throws counts as "not yet" and is the cause when time is up.
 */
export async function waitUntil<T>(
  what: string,
  probe: () => T | Promise<T>,
  timeoutMs = 30_000,
): Promise<NonNullable<T>> {
  const deadline = performance.now() + timeoutMs;
  let last: unknown;
  let cause: unknown;
  for (;;) {
    try {
      last = await probe();
      if (last !== null && last !== undefined && last !== false) return last as NonNullable<T>;
      cause = undefined;
    } catch (error) {
      cause = error;
    }
    if (performance.now() > deadline) {
      throw new Error(`timed out after ${timeoutMs} ms: ${what} (last: ${String(last)})`, {
        cause,
      });
    }
    await delay(POLL_MS);
  }
}
